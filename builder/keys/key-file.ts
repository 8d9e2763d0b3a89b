import { readFileSync, statSync } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'
import { createFile } from '../../lib/atomic-file.ts'

/** ssh refuses such a file as well, but only when it is too late to think of who has read it. */
export function readPrivateFile(file: string): string {
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o077) === 0) return readFileSync(file, 'utf8')
  throw new UserError(
    'key',
    `others may read the private key '${file}': its mode is 0${mode.toString(8)}, wanted 0600`,
    {
      hint: `if nobody has: chmod 600 '${file}'; otherwise move it away, and hangar makes another`,
    },
  )
}

/**
 * Writes a private key that only the owner may read, in a directory that only the owner may enter. Returns false, and
 * keeps the existing key, when the file exists: of two runs at the same time, one makes the key.
 */
export async function writePrivateFile(file: string, text: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await chmod(dirname(file), 0o700)
  return createFile(file, text, { mode: 0o600 })
}
