import { type OtherLicence, otherLicence } from './declared.ts'

/** The ids of SPDX's list that nearly all npm packages use. An id that is not on the list makes a document invalid. */
const IDS: ReadonlySet<string> = new Set([
  ...['0BSD', 'AFL-2.1', 'Apache-2.0', 'Artistic-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BSL-1.0'],
  ...['CC-BY-3.0', 'CC-BY-4.0', 'CC-BY-SA-4.0', 'CC0-1.0', 'EPL-1.0', 'EPL-2.0', 'EUPL-1.2', 'ISC', 'MIT', 'MIT-0'],
  ...['MPL-1.1', 'MPL-2.0', 'OFL-1.1', 'PSF-2.0', 'Python-2.0', 'Unlicense', 'W3C', 'WTFPL', 'Zlib', 'ZPL-2.1'],
  ...['AGPL-3.0-only', 'AGPL-3.0-or-later', 'GPL-2.0', 'GPL-2.0-only', 'GPL-2.0-or-later', 'GPL-3.0', 'GPL-3.0-only'],
  ...['GPL-3.0-or-later', 'LGPL-2.1', 'LGPL-2.1-only', 'LGPL-2.1-or-later', 'LGPL-3.0', 'LGPL-3.0-only'],
  'LGPL-3.0-or-later',
])

/**
 * The licence that a package declares, as an SPDX expression. The field `license` should be an expression; another text
 * becomes a licence of its own, as the package words it.
 */
export function npmLicence(field: string | undefined): { expression: string; other?: OtherLicence } {
  const text = (field ?? '').trim()
  if (text === '') return { expression: 'NOASSERTION' }
  if (isExpression(text)) return { expression: text }
  const other = otherLicence(text, '')
  return { expression: other.licenseId, other }
}

/** Whether a text consists of known ids, joined by AND and OR, with balanced parentheses. */
function isExpression(text: string): boolean {
  const words = text.split(/\s+|(?=[()])|(?<=[()])/).filter((word) => word !== '')
  let plain = words.map((word) => (IDS.has(word) ? 'id' : SYNTAX.has(word) ? word : 'other')).join(' ')
  for (let before = ''; before !== plain; ) {
    before = plain
    plain = plain.replace(/\( id \)/g, 'id').replace(/\bid (AND|OR) id\b/g, 'id')
  }
  return plain === 'id'
}

const SYNTAX: ReadonlySet<string> = new Set(['(', ')', 'AND', 'OR'])
