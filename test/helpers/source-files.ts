import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A source file of the project; `path` is from the project's own directory. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly from: string
  /** Path in the project, `node:…`, or a package's name. */
  readonly to: string
  /** `type` is gone before the program runs. */
  readonly kind: 'type' | 'value'
}

const FOLDERS = ['images', 'overlays', 'hosts', 'lib', 'builder', 'flash', 'cli', 'test']
const PROGRAM = /\.(ts|mjs)$/

/** Every program text of the project, in order. */
export function sourceFiles(project: string): SourceFile[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  return [...readdirSync(project), ...inFolders]
    .filter((path) => PROGRAM.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(project, path), 'utf8') }))
}

// Names between `import` and `from` hold no quote, parenthesis or colon: nothing else in a file looks like this.
const STATIC = /^(?:import|export)(\s+type\b)?(?:[\w\s{},*$]*?\bfrom)?\s*'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g

/** What a file imports; programs that are named only when they run are not seen. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const resolve = (to: string) => (to.startsWith('.') ? posix.join(posix.dirname(path), to) : to)
  const found = [...text.matchAll(STATIC)].map(([, type, to = '']) => ({ to, kind: type ? 'type' : 'value' }) as const)
  const later = [...text.matchAll(DYNAMIC)].map(([, to = '']) => ({ to, kind: 'value' }) as const)
  return [...found, ...later].map(({ to, kind }) => ({ from: path, to: resolve(to), kind }))
}
