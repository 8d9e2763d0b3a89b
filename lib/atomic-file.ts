import { randomBytes } from 'node:crypto'
import { link, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { namingPath } from './file-problem.ts'

/** The bytes of a file, or a function that writes them to the path that it gets and flushes them to the disk. */
export type FileContent = string | Uint8Array | ((temporary: string) => Promise<void>)

export interface FileOptions {
  /** Permissions of the new file; the default is what the umask leaves of 0666. */
  readonly mode?: number
  /** The caller holds a lock, so that every temporary file of this target is a leftover, even a young one. */
  readonly exclusive?: boolean
}

/**
 * Writes a file so that a reader, and a machine after a power cut, finds either the old content or the new one. The
 * bytes go to a temporary file in the same directory, are flushed, and are then renamed over `file`. The directory must
 * exist. When the promise resolves, content and name are on the disk.
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
 * Creates a file like `replaceFile`, but never over another one. Returns false, and changes nothing, when the file
 * exists. Of several processes that create the same file, exactly one gets true.
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
    // Some network file systems cannot flush a directory, and a caller cannot do anything about that.
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

/** Milliseconds after which a temporary file belongs to a process that was killed. */
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

/** `flush` is fsync(2). */
async function write(temporary: string, content: FileContent, { mode }: FileOptions): Promise<void> {
  await namingPath(temporary, async () => {
    if (typeof content === 'function') await content(temporary)
    else await writeFile(temporary, content, { ...(mode === undefined ? {} : { mode }), flag: 'wx', flush: true })
  })
}

/** A hard link fails when the new name exists, in one step with its creation. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
