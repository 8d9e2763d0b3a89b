import { randomBytes } from 'node:crypto'
import { link, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { namingPath } from './file-problem.ts'

/**
 * The content of a file: bytes, or a function that receives a path, writes the bytes there and flushes them to the
 * disk.
 */
export type FileContent = string | Uint8Array | ((temporary: string) => Promise<void>)

export interface FileOptions {
  /** The permissions of the new file. Default: 0666 without the bits of the umask. */
  readonly mode?: number
  /**
   * States that the caller holds a lock, so that every temporary file of this target is a leftover, even a young file.
   */
  readonly exclusive?: boolean
}

/**
 * Writes a file atomically: every reader finds the old or the new content, also after a power cut. Writes a temporary
 * file in the same directory, flushes it, and renames it over `file`. The directory must exist. When the promise
 * resolves, content and name are on the disk.
 */
export async function replaceFile(file: string, content: FileContent, options: FileOptions = {}): Promise<void> {
  const temporary = await prepare(file, options)
  try {
    await write(temporary, content, options)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await flushDirectory(dirname(file))
}

/**
 * Creates a file like `replaceFile`, but never replaces an existing file: then it changes nothing and returns false. If
 * several processes create the same file, exactly one of them gets true.
 */
export async function createFile(file: string, content: FileContent, options: FileOptions = {}): Promise<boolean> {
  const temporary = await prepare(file, options)
  try {
    await write(temporary, content, options)
    return await linkNew(temporary, file)
  } finally {
    await rm(temporary, { force: true })
    await flushDirectory(dirname(file))
  }
}

/** After this call, a power cut no longer undoes creations, renames and removals of names in the directory. */
export async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await namingPath(directory, () => handle.sync())
  } catch (error) {
    // Ignores the error: some network file systems cannot flush a directory, and the caller cannot change this.
    if (!['EINVAL', 'ENOTSUP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

/** Whether a name is one that this module gives to temporary files. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name)
}

const TEMPORARY = /^\..+\.part-[0-9a-f]{12}$/

/** The age in milliseconds from which a temporary file must be a leftover of a killed process. */
const ABANDONED = 60 * 60 * 1000

/** The name of a temporary file. Removes temporary files that killed processes left for the same target. */
async function prepare(file: string, { exclusive = false }: FileOptions): Promise<string> {
  const directory = dirname(file)
  const name = basename(file)
  const prefix = `${name.startsWith('.') ? '' : '.'}${name}.part-`
  for (const found of await readdir(directory)) {
    if (found.startsWith(prefix) && isTemporaryName(found)) await removeLeftover(join(directory, found), exclusive)
  }
  return join(directory, `${prefix}${randomBytes(6).toString('hex')}`)
}

async function removeLeftover(temporary: string, exclusive: boolean): Promise<void> {
  const found = await stat(temporary).catch(() => undefined)
  const isOld = found !== undefined && found.mtimeMs < Date.now() - ABANDONED
  if (exclusive || isOld) await rm(temporary, { force: true })
}

/** Writes the content to the temporary file, and flushes it with fsync(2). */
async function write(temporary: string, content: FileContent, { mode }: FileOptions): Promise<void> {
  await namingPath(temporary, async () => {
    if (typeof content === 'function') await content(temporary)
    else await writeFile(temporary, content, { ...(mode === undefined ? {} : { mode }), flag: 'wx', flush: true })
  })
}

/** Uses a hard link, which checks for an existing name and creates the new name in one step. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
