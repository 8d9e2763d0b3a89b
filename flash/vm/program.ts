import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, MULTIARCH } from '../../images/architecture.ts'
import { type Command, notStarted } from '../../lib/program-error.ts'

/** Debian packages unpacked into a directory, for this machine's own architecture. */
export interface ProgramRoot {
  readonly directory: string
  readonly architecture: Architecture
}

/** A program to run: the file, its first arguments, and the variables that it needs. */
export type Program = Command

const LOADERS: Record<Architecture, string> = { amd64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }

/** A program of an unpacked root. The root's own loader starts it with the root's libraries, without chroot or privileges. */
export function programOf(root: ProgramRoot, name: string): Program {
  const libraries = join(root.directory, 'usr/lib', MULTIARCH[root.architecture])
  const file = join(libraries, LOADERS[root.architecture])
  const program = join(root.directory, 'usr/bin', name)
  for (const part of [file, program]) requirePart(name, part)
  const env = { QEMU_MODULE_DIR: join(libraries, 'qemu') }
  return { file, args: ['--library-path', libraries, program], env, name, origin: 'store' }
}

function requirePart(name: string, path: string): void {
  try {
    statSync(path)
  } catch (error) {
    throw notStarted({ file: path, args: [], env: {}, name, origin: 'store' }, error)
  }
}
