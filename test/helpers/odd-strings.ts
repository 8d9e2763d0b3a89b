import type { Random } from '../power-cut/random.ts'

/** Parts of odd strings: syntax of the files that hangar renders, and characters that programs treat in different ways. */
const PARTS = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\t',
    ' ',
    '\u000b',
    '\u001b[31m',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ud800',
  ],
  ...[
    '"',
    "'",
    '`',
    '\\',
    '$',
    '$HOME',
    '$(id)',
    '%',
    '%h',
    '%%',
    '#',
    ';',
    ':',
    ',',
    '=',
    '|',
    '&',
    '*',
    '~',
    '!',
    '?',
  ],
  ...['-', '--', '.', '..', '/', '../', '//', '@', '[', ']', '{', '}', '{{ . }}', '<', '>', '(', ')', '+', '0', '1e9'],
  ...['ü', 'é', 'ß', 'İ', 'Ａ', '中', '👍', 'x'.repeat(300), '\nDNS=6.6.6.6', '\n[Service]\nExecStart=/bin/sh', '\\n'],
  ...['constructor', '__proto__', 'null', 'true', 'lab', 'a', 'A', 'Z9'],
]

/** A random odd string: parts alone, or parts before, after or inside of a valid value. */
export function oddString(valid: string, random: Random): string {
  const one = () => PARTS[Math.floor(random() * PARTS.length)] ?? ''
  const odd = Array.from({ length: 1 + Math.floor(random() * 3) }, one).join('')
  const at = Math.floor(random() * (valid.length + 1))
  const forms = [odd, odd + valid, valid + odd, valid.slice(0, at) + odd + valid.slice(at), valid.slice(0, at) + odd]
  return forms[Math.floor(random() * forms.length)] ?? odd
}

/** Odd strings that every field gets. */
export function oddStrings(valid: string): string[] {
  return ['', ...PARTS, ...PARTS.map((each) => each + valid), ...PARTS.map((each) => valid + each), 'x'.repeat(100_000)]
}
