import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Architecture, MULTIARCH } from '../../architecture.ts'
import { CONTAINER_PATH, type ContainerProgram, interpretersOf } from '../container-program.ts'
import { readElf } from '../parts/elf.ts'
import { pathInRoot } from './path-in-root.ts'

/** A part of a program that the container lacks, or that cannot run there. */
export interface MissingPart {
  /** The path of the file, or the name of a library or of a program in PATH. */
  readonly name: string
  /** What needs the part: a container, a program or a library. */
  readonly neededBy: string
  readonly problem: 'missing' | 'not executable' | 'for another architecture'
}

/**
 * Finds the parts that a program lacks in a root: the program, the interpreter of its first line, its loader and its
 * libraries, and their parts. Resolves them as the kernel and the dynamic loader do (execve(2), ld.so(8)) without a cache. Finds
 * the modules that its arguments name, too.
 */
export function missingParts(root: string, architecture: Architecture, given: ContainerProgram): MissingPart[] {
  const missing: MissingPart[] = []
  const seen = new Set<string>()
  const libraryDirectories = (own: readonly string[]) => [
    ...own,
    ...given.libraryPath,
    ...defaultDirectories(architecture),
  ]

  const visit = (name: string, found: string | undefined, neededBy: string, use: 'program' | 'library') => {
    if (found === undefined) return void missing.push({ name, neededBy, problem: 'missing' })
    if (seen.has(found)) return
    seen.add(found)
    const stats = statSync(root + found)
    if (use === 'program' && (!stats.isFile() || (stats.mode & 0o111) === 0))
      missing.push({ name: found, neededBy, problem: 'not executable' })
    if (!stats.isFile()) return
    const elf = readElf(root + found)
    if (elf === undefined) return visitInterpreter(found)
    if (elf.architecture !== architecture)
      return void missing.push({ name: found, neededBy, problem: 'for another architecture' })
    if (elf.interpreter !== undefined)
      visit(elf.interpreter, pathInRoot(root, elf.interpreter), `'${found}'`, 'program')
    const directories = libraryDirectories(elf.runpath.map((each) => originOf(each, found)))
    for (const library of elf.needed) visit(library, findIn(root, directories, library), `'${found}'`, 'library')
  }
  const visitInterpreter = (script: string) => {
    for (const name of interpretersOf(startOf(root + script)))
      visit(name, findProgram(root, name), `'${script}'`, 'program')
  }
  const { program, container, modules = [] } = given
  const neededBy = `container '${container}'`
  visit(program, findProgram(root, program), neededBy, 'program')
  for (const name of modules) if (!isModuleIn(root, name)) missing.push({ name, neededBy, problem: 'missing' })
  return missing
}

/** Node.js reads a module: it needs no first line and no permission to execute, and may have an ending that the path omits. */
function isModuleIn(root: string, path: string): boolean {
  return ['', '.js', '.json', '.node'].some((ending) => pathInRoot(root, path + ending) !== undefined)
}

/** The directories of the dynamic loader in Debian (`ldconfig` writes no cache in a container). */
function defaultDirectories(architecture: Architecture): string[] {
  return [`/usr/lib/${MULTIARCH[architecture]}`, '/usr/lib']
}

function originOf(directory: string, file: string): string {
  return directory.replace(/\$(ORIGIN|\{ORIGIN\})/g, dirname(file))
}

function findProgram(root: string, name: string): string | undefined {
  return findIn(root, CONTAINER_PATH, name)
}

/** A name with a '/' is a path. */
function findIn(root: string, directories: readonly string[], name: string): string | undefined {
  if (name.includes('/')) return pathInRoot(root, name)
  for (const directory of directories) {
    const found = pathInRoot(root, `${directory}/${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The kernel reads no more of a script (BINPRM_BUF_SIZE). */
const HEAD = 256

function startOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(HEAD)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, HEAD, 0))
  } finally {
    closeSync(file)
  }
}
