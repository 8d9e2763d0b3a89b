/** A paragraph: field name in lower case -> value. Newlines join the lines of a value. */
export type Paragraph = ReadonlyMap<string, string>

/** Parses Debian control data: paragraphs separated by empty lines (deb822(5)). Ignores comments. */
export function parseControl(text: string): Paragraph[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseParagraph)
    .filter((paragraph) => paragraph.size > 0)
}

/** Parses one paragraph. Ignores lines that are neither `Name: value` nor indented. */
export function parseParagraph(text: string): Paragraph {
  const fields = new Map<string, string>()
  let name: string | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (name !== undefined) fields.set(name, `${fields.get(name)}\n${line.trim()}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    name = line.slice(0, colon).toLowerCase()
    fields.set(name, line.slice(colon + 1).trim())
  }
  return fields
}
