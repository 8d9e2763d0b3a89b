import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Milliseconds after which nobody writes to a file any more that nobody has finished. */
const STALE = 60 * 60 * 1000
const RANDOM = /^[0-9a-f]{12}$/

/**
 * A file whole or not at all, on any file system that can rename: on a stick, or a server's. `write` is given another
 * name in the same directory; what runs that were killed left there under such names goes.
 */
export async function writeWholeFile(file: string, write: (beside: string) => Promise<void>): Promise<void> {
  const [directory, prefix] = [dirname(file), `.${basename(file)}.part-`]
  await mkdir(directory, { recursive: true })
  await sweep(directory, prefix)
  const beside = join(directory, `${prefix}${randomBytes(6).toString('hex')}`)
  try {
    await write(beside)
    await rename(beside, file)
  } finally {
    await rm(beside, { force: true })
  }
  await flush(directory)
}

async function sweep(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || !RANDOM.test(name.slice(prefix.length))) continue
    const found = await stat(join(directory, name)).catch(() => undefined)
    if (found !== undefined && found.mtimeMs < Date.now() - STALE) await rm(join(directory, name), { force: true })
  }
}

/** Servers that know nothing of flushing a directory say so; what they do with names is theirs. */
async function flush(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}
