import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Architecture, MULTIARCH } from '../../images/architecture.ts'

/** Debian packages unpacked into a directory, for this machine's own architecture. */
export interface ProgramRoot {
  readonly directory: string
  readonly architecture: Architecture
}

/** A program to run: the file, its first arguments, and the variables that it needs. */
export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const LOADERS: Record<Architecture, string> = { amd64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }

/** A program of an unpacked root. The root's own loader starts it with the root's libraries, without chroot or privileges. */
export function programOf(root: ProgramRoot, name: string): Program {
  const libraries = join(root.directory, 'usr/lib', MULTIARCH[root.architecture])
  const file = join(libraries, LOADERS[root.architecture])
  const program = join(root.directory, 'usr/bin', name)
  requirePart(file)
  requirePart(program)
  return { file, args: ['--library-path', libraries, program], env: { QEMU_MODULE_DIR: join(libraries, 'qemu') } }
}

function requirePart(path: string): void {
  if (existsSync(path)) return
  throw new UserError('vm', `the unpacked programs lack '${path}'`, {
    hint: 'resolve their packages again: npm run lock -- --update',
  })
}
