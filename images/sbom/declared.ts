import { digestOf, short } from '../digest.ts'
import { type Copyright, type LicenceStatement, parseCopyright } from './copyright.ts'
import { spdxLicence } from './short-names.ts'
import { type Licences, parseSynopsis } from './synopsis.ts'

/** A licence that is not on SPDX's list, in the form of `hasExtractedLicensingInfos`. */
export interface OtherLicence {
  /** `LicenseRef-NAME-DIGEST`. Two packages with the same name and text have the same id. */
  readonly licenseId: string
  readonly name: string
  readonly extractedText: string
}

export interface Declared {
  /** SPDX licence expression: all licences in the copyright file, sorted, without duplicates, joined by AND. */
  readonly expression: string
  readonly others: readonly OtherLicence[]
}

/** The licences that a copyright file declares. Undefined if the file is not machine-readable. */
export function declaredLicence(text: string): Declared | undefined {
  const copyright = parseCopyright(text)
  if (copyright === undefined) return undefined
  const others = new Map<string, OtherLicence>()
  const referTo = (licence: OtherLicence) => {
    others.set(licence.licenseId, licence)
    return licence.licenseId
  }
  const terms = copyright.statements.flatMap((statement) => {
    const licences = parseSynopsis(statement.synopsis)
    if (licences === undefined) return [referTo(otherLicence(statement.synopsis, statement.text))]
    return termsOf(
      licences,
      (name) => spdxLicence(name) ?? referTo(otherLicence(name, textOf(name, statement, copyright))),
    )
  })
  return { expression: unique(terms).join(' AND '), others: [...others.values()] }
}

/** The terms of an SPDX expression that are joined by AND. */
function termsOf(licences: Licences, idOf: (name: string) => string): string[] {
  if (licences.kind === 'name') return [idOf(licences.name)]
  if (licences.kind === 'and') return licences.of.flatMap((each) => termsOf(each, idOf))
  const alternatives = unique(
    licences.of.map((each) => {
      const terms = unique(termsOf(each, idOf))
      return terms.length === 1 ? (terms[0] ?? '') : `(${terms.join(' AND ')})`
    }),
  )
  return alternatives.length === 1 ? alternatives : [`(${alternatives.join(' OR ')})`]
}

/** The text in the files' own stanza takes precedence over the text in a separate stanza. */
function textOf(name: string, statement: LicenceStatement, { texts }: Copyright): string {
  return statement.text || (texts.get(name.toLowerCase()) ?? '')
}

/** Licences without duplicates, sorted by id. */
export function byId(licences: readonly OtherLicence[]): OtherLicence[] {
  const once = new Map(licences.map((each) => [each.licenseId, each]))
  return [...once.values()].sort((a, b) => (a.licenseId < b.licenseId ? -1 : 1))
}

export function otherLicence(synopsis: string, text: string): OtherLicence {
  const cleaned = synopsis.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^-+|-+$/g, '')
  const digest = short(digestOf(`${synopsis}\n${text}`))
  return {
    licenseId: `LicenseRef-${cleaned.slice(0, 40) || 'unnamed'}-${digest}`,
    name: synopsis || 'NOASSERTION',
    // SPDX requires a text. If the file has none, use the name.
    extractedText: text || `License: ${synopsis}`,
  }
}

function unique(terms: readonly string[]): string[] {
  return [...new Set(terms)].sort()
}
