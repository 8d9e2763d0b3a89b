import { readFile } from 'node:fs/promises'
import { EMPTY_LOCK, type Lock, lockText, parseLock } from '../../images/lock.ts'
import { replaceFile } from '../../lib/atomic-file.ts'

/** The lock in a file, or the empty lock when the file does not exist. */
export async function readLock(path: string): Promise<Lock> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? EMPTY_LOCK : parseLock(text, path)
}

export function writeLock(path: string, lock: Lock): Promise<void> {
  return replaceFile(path, lockText(lock))
}
