import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'

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
 * Writes a private key atomically, and never replaces one: of two concurrent runs, one writes the key. Returns false when
 * the key exists.
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

/** Replaces a file atomically, and flushes it. */
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

/** A power cut could else lose the name of a flushed file. */
async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
