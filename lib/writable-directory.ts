import { accessSync, constants, readdirSync } from 'node:fs'
import { lastExisting } from './file-problem.ts'

/**
 * Throws the error of the file system when this process cannot create `directory` or write to it. Commands call it before
 * work of minutes.
 */
export function requireWritable(directory: string): void {
  const found = lastExisting(directory)
  readdirSync(found)
  accessSync(found, constants.W_OK | constants.X_OK)
}

/** For readdir: an absent directory counts as empty. An unreadable one does not. */
export function emptyIfAbsent(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return []
  throw error
}
