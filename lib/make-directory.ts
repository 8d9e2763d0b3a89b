import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a directory and its parents. Unlike mkdir of Node with `recursive`, throws the system's own error: Node reports
 * 'no such file' on a read-only file system and on a full disk.
 */
export function makeDirectory(directory: string, mode?: number): void {
  try {
    mkdirSync(directory, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(directory) !== directory) {
      makeDirectory(dirname(directory), mode)
      makeLast(directory, mode)
    } else if (!isDirectory(directory, error)) throw error
  }
}

/** Another process may create the directory at the same time. */
function makeLast(directory: string, mode: number | undefined): void {
  try {
    mkdirSync(directory, mode)
  } catch (error) {
    if (!isDirectory(directory, error)) throw error
  }
}

/** For an existing directory, the system may report that the file system is read-only or that the name exists. */
function isDirectory(path: string, error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  // A link to nothing: its own error names the problem.
  if (code === 'EEXIST') return statSync(path).isDirectory()
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
