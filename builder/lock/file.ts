import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { EMPTY_LOCK, type Lock, lockText, parseLock } from '../../images/lock.ts'

/** The lock in a file; the empty one where there is none yet. */
export async function readLock(path: string): Promise<Lock> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? EMPTY_LOCK : parseLock(text, path)
}

/** Replaces the file as a whole: whatever happens meanwhile, a reader finds the old lock or the new one. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  const beside = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    await writeFile(beside, lockText(lock), { flush: true })
    await rename(beside, path)
  } finally {
    await rm(beside, { force: true })
  }
}
