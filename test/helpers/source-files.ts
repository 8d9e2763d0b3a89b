import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A source file of the project; `path` is relative to the project. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly from: string
  /** A path in the project, `node:…`, or the name of a package. */
  readonly to: string
  /** `type`: erased before the program runs. `value`: loaded with the file. `lazy`: loaded by `import('…')`. */
  readonly kind: 'type' | 'value' | 'lazy'
}

const FOLDERS = ['images', 'overlays', 'hosts', 'lib', 'builder', 'flash', 'cli', 'test']
const PROGRAM = /\.(ts|mjs)$/

/** All programs of the project, sorted by path. */
export function sourceFiles(project: string): SourceFile[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  return [...readdirSync(project), ...inFolders]
    .filter((path) => PROGRAM.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(project, path), 'utf8') }))
}

// The names between `import` and `from` contain no quote, parenthesis or colon, so only imports and exports match.
const STATIC = /^(?:import|export)(\s+type\b)?(?:[\w\s{},*$]*?\bfrom)?\s*'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g

/** The imports of a file. Paths that are computed at run time are not found. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const resolve = (to: string) => (to.startsWith('.') ? posix.join(posix.dirname(path), to) : to)
  const found = [...text.matchAll(STATIC)].map(([, type, to = '']) => ({ to, kind: type ? 'type' : 'value' }) as const)
  const lazy = [...text.matchAll(DYNAMIC)].map(([, to = '']) => ({ to, kind: 'lazy' }) as const)
  return [...found, ...lazy].map(({ to, kind }) => ({ from: path, to: resolve(to), kind }))
}
