/** Field name in lower case -> value; further lines of a value are kept, joined by newlines. */
export type Paragraph = ReadonlyMap<string, string>

/** Control data of Debian: paragraphs with an empty line between them (deb822(5)); comments are left out. */
export function parseControl(text: string): Paragraph[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map(parseParagraph)
    .filter((paragraph) => paragraph.size > 0)
}

/** One paragraph. Lines that are neither `Name: value` nor indented are left out. */
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
