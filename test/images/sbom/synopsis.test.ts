import { describe, expect, it } from 'vitest'
import { type Licences, parseSynopsis } from '../../../images/sbom/synopsis.ts'

describe('parseSynopsis', () => {
  it.each([
    ['GPL-2+', 'GPL-2+'],
    ['GPL-1+ or Artistic', '(GPL-1+ | Artistic)'],
    ['GPL-2+ and BSD-3-clause', '(GPL-2+ & BSD-3-clause)'],
    // The examples of precedence in the standard.
    ['A or B and C', '(A | (B & C))'],
    ['A or B, and C', '((A | B) & C)'],
    ['A and B, or C', '((A & B) | C)'],
    ['A, and B, and C', '(A & B & C)'],
    ['A AND B  Or C', '((A & B) | C)'],
    ['GPL-2+ with OpenSSL exception', 'GPL-2+ with OpenSSL exception'],
    ['GPL-3+  with Autoconf exception and Expat', '(GPL-3+ with Autoconf exception & Expat)'],
  ])('parses the licence field %j as %s', (synopsis, wanted) => {
    expect(shown(parseSynopsis(synopsis))).toBe(wanted)
  })

  it.each([
    [''],
    ['GPL version 2'],
    ['A, B and C'],
    ['A, B'],
    ['A, and B, or C'],
    ['A and/or B'],
    ['A | B'],
    ['(A or B) and C'],
    ['A and'],
    ['or A'],
    ['GPL-2 with'],
    ['GPL-2 with Linux-syscall-note'],
    ['GPL-3+ with Autoconf and Libtool exceptions'],
    ['with X exception'],
  ])('returns undefined for the licence field %j', (synopsis) => {
    expect(parseSynopsis(synopsis)).toBeUndefined()
  })
})

function shown(licences: Licences | undefined): string | undefined {
  if (licences === undefined || licences.kind === 'name') return licences?.name
  return `(${licences.of.map(shown).join(licences.kind === 'and' ? ' & ' : ' | ')})`
}
