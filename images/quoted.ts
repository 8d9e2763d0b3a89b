const LONGEST = 100

/**
 * A value in quotes for a message of one line: control characters, line separators and invisible characters are escaped, and
 * a long value is cut.
 */
export function quoted(value: unknown): string {
  const text = String(value)
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return `'${cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escaped)}'`
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
