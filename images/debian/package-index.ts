import { type Paragraph, parseParagraph } from './control.ts'

/**
 * A `Packages` file. It can have 56 MB, so the index stores only where each package begins, and parses a paragraph when it
 * is first requested.
 */
export interface PackageIndex {
  /** The paragraphs of a package, in their order in the file. */
  named(name: string): readonly Paragraph[]
  /** Names of the packages that provide this one, without the package itself. */
  providers(name: string): readonly string[]
  /** Names of the packages that are marked Essential. */
  essential(): readonly string[]
  readonly size: number
}

const NEWLINE = 0x0a
const NAME = Buffer.from('\nPackage: ')
const PROVIDES = Buffer.from('\nProvides: ')
const ESSENTIAL = Buffer.from('\nEssential: yes\n')

export function packageIndex(bytes: Uint8Array): PackageIndex {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const starts = indexNames(text)
  const parsed = new Map<string, readonly Paragraph[]>()
  let providers: ReadonlyMap<string, readonly string[]> | undefined
  return {
    size: starts.size,
    named(name) {
      const known = parsed.get(name)
      if (known !== undefined) return known
      const found = (starts.get(name) ?? []).map((start) => parseParagraph(paragraphAt(text, start)))
      parsed.set(name, found)
      return found
    },
    providers(name) {
      providers ??= indexProvided(text)
      return providers.get(name) ?? []
    },
    essential: () => [...new Set(occurrences(text, ESSENTIAL).map((at) => nameAround(text, at)))],
  }
}

/** The offsets of the `Package:` lines, by package name. In Debian's indices, every paragraph begins with this line. */
function indexNames(text: Buffer): Map<string, number[]> {
  const starts = new Map<string, number[]>()
  const add = (start: number) => {
    const name = lineFrom(text, start + NAME.length - 1)
    const known = starts.get(name)
    if (known === undefined) starts.set(name, [start])
    else known.push(start)
  }
  if (text.subarray(0, NAME.length - 1).equals(NAME.subarray(1))) add(0)
  for (const at of occurrences(text, NAME)) add(at + 1)
  return starts
}

function indexProvided(text: Buffer): Map<string, string[]> {
  const provided = new Map<string, string[]>()
  for (const at of occurrences(text, PROVIDES)) {
    const provider = nameAround(text, at)
    for (const item of lineFrom(text, at + PROVIDES.length).split(',')) {
      const name = /^[^\s(:]+/.exec(item.trim())?.[0]
      if (name === undefined || name === provider) continue
      const known = provided.get(name)
      if (known === undefined) provided.set(name, [provider])
      else if (!known.includes(provider)) known.push(provider)
    }
  }
  return provided
}

function occurrences(text: Buffer, pattern: Buffer): number[] {
  const found: number[] = []
  for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + pattern.length - 1)) found.push(at)
  return found
}

/** The name of the package whose paragraph contains this offset. */
function nameAround(text: Buffer, at: number): string {
  const before = text.lastIndexOf(NAME, at)
  return lineFrom(text, before === -1 ? NAME.length - 1 : before + NAME.length)
}

function paragraphAt(text: Buffer, start: number): string {
  const end = text.indexOf('\n\n', start, 'latin1')
  return text.toString('utf8', start, end === -1 ? text.length : end)
}

function lineFrom(text: Buffer, start: number): string {
  const end = text.indexOf(NEWLINE, start)
  return text.toString('latin1', start, end === -1 ? text.length : end).trim()
}
