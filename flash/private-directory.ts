import { tmpdir } from 'node:os'
import { UserError } from '../errors.ts'
import { ownedDirectory, removeAbandoned } from './owned-directory.ts'

/**
 * ssh and QEMU split, expand or shorten some paths: a socket's path has at most 107 bytes, and ssh adds 17 of them while it
 * creates a socket. A path of this form needs no quoting.
 */
const PLAIN = /^\/[A-Za-z0-9/_.-]{0,39}$/

/**
 * Creates a directory for sockets that only this user may enter. Its path is short and has no special characters: a TMPDIR
 * of another form is not used. The caller removes the directory.
 */
export function privateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const wanted = [env.TMPDIR ?? tmpdir(), env.XDG_RUNTIME_DIR ?? '', '/tmp', '/var/tmp', '/dev/shm']
  const parents = [...new Set(wanted.filter((path) => PLAIN.test(path)))]
  const problems: string[] = []
  for (const parent of parents) {
    try {
      removeAbandoned(parent)
      return ownedDirectory(parent)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new UserError('program', `cannot create a directory for sockets on this machine: ${problems.join('; ')}`, {
    hint: 'make /tmp writable (chmod 1777 /tmp), or name a short path without special characters: TMPDIR=DIRECTORY',
  })
}
