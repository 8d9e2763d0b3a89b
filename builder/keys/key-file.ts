import { readFileSync, statSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'
import { createFile } from '../../lib/atomic-file.ts'
import { makeDirectory } from '../../lib/make-directory.ts'

/** Whether a file exists. Unlike existsSync, throws when the directory may not be entered: a new key would be wrong then. */
export function isKeyFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined
}

/** Reads a private key; throws 'key' when other users can read the file, as ssh does. */
export function readPrivateFile(file: string): string {
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o077) === 0) return readFileSync(file, 'utf8')
  throw new UserError(
    'key',
    `other users can read the private key '${file}': its mode is 0${mode.toString(8)}, wanted 0600`,
    {
      hint: `chmod 600 '${file}'; if another user may have read it, move it away instead, and hangar makes a new key`,
    },
  )
}

/**
 * Writes a private key that only the owner may read, in a directory that only the owner may enter. Returns false, and
 * keeps the existing key, when the file exists: of two runs at the same time, one makes the key.
 */
export async function writePrivateFile(file: string, text: string): Promise<boolean> {
  makeDirectory(dirname(file), 0o700)
  await chmod(dirname(file), 0o700)
  return createFile(file, text, { mode: 0o600 })
}
