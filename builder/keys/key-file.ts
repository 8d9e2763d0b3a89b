import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'

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
 * A private key in a directory of its own owner's: whole or not at all, and never over another: of two runs at once, one
 * makes the key. False for the other.
 */
export async function writeOnce(file: string, text: string): Promise<boolean> {
  const directory = dirname(file)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const beside = besideOf(file)
  await writeFile(beside, text, { mode: 0o600, flag: 'wx', flush: true })
  try {
    await link(beside, file)
    await flushDirectory(directory)
    return true
  } catch (error) {
    if (existsSync(file)) return false
    throw error
  } finally {
    await rm(beside, { force: true })
  }
}

/** Puts a file in place of what is there, whole and on the disk when this returns. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const beside = besideOf(file)
  try {
    await writeFile(beside, text, { flag: 'wx', flush: true })
    await rename(beside, file)
  } finally {
    await rm(beside, { force: true })
  }
  await flushDirectory(dirname(file))
}

function besideOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}`
}

/** Without it the name may be lost in a power cut, though the file's bytes are not. */
async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
