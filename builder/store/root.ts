import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { fileProblem, fileProblemText, fileRemedy, namingPath } from '../../lib/file-problem.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { isAlive, processIn, temporaryName } from '../../lib/process-liveness.ts'

const FORMAT = '1\n'

/**
 * `write` creates a missing store, and removes files that killed processes left in `tmp`. `read` changes nothing on the
 * disk; listings and dry runs use it.
 */
export type StoreAccess = 'read' | 'write'

/** Throws unless `root` is a store of this format, an empty directory or a missing directory. */
export async function openRoot(root: string, access: StoreAccess): Promise<void> {
  const isStore = checkRoot(root)
  if (access === 'read') return
  try {
    makeDirectory(join(root, 'tmp'))
    if (!isStore) await writeFormat(root)
    await removeLeftovers(join(root, 'tmp'))
  } catch (error) {
    throw cannotUse(root, error)
  }
}

/** Whether `root` is already a store. A directory with any other content does not count as a store. */
function checkRoot(root: string): boolean {
  const file = join(root, 'format')
  refuseFile(root)
  const foreign = existsSync(file) ? undefined : foreignName(root)
  // Checks again, because another process may have created the store in the meantime.
  if (existsSync(file)) {
    checkFormat(root, readFormat(root, file))
    return true
  }
  if (foreign === undefined) return false
  throw new UserError('store', `cannot use '${root}' as the store: it has no file 'format' but holds '${foreign}'`, {
    hint: 'set HANGAR_STORE to a new or an empty directory; hangar changed nothing in this one',
  })
}

/** Throws when the path leads through a file or a circle of links, or when a directory on it may not be entered. */
function refuseFile(root: string): void {
  try {
    readdirSync(root)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw cannotUse(root, error)
  }
}

function readFormat(root: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw cannotUse(root, error)
  }
}

/** A name that hangar did not put there while it created a store. */
function foreignName(root: string): string | undefined {
  const entries = entriesOf(root)
  const other = entries.find(({ name }) => name !== 'tmp')
  if (other !== undefined || entries.length === 0) return other?.name
  const inTmp = entriesOf(join(root, 'tmp')).find(({ name }) => processIn(name) === undefined)
  return inTmp === undefined ? undefined : join('tmp', inTmp.name)
}

function entriesOf(directory: string): Dirent[] {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return []
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    throw cannotUse(directory, error)
  }
}

function checkFormat(root: string, format: string): void {
  if (format === FORMAT) return
  throw new UserError(
    'format',
    `store '${root}' has format '${format.trim()}', this hangar reads format '${FORMAT.trim()}'`,
    { hint: 'use another store: HANGAR_STORE=DIRECTORY' },
  )
}

/** Renames the complete file into place, because another process may read it at the same time. */
async function writeFormat(root: string): Promise<void> {
  const temporary = join(root, 'tmp', temporaryName('format'))
  await namingPath(temporary, () => writeFile(temporary, FORMAT))
  await rename(temporary, join(root, 'format'))
}

/** Removes only names in hangar's own form, and only if the process in the name has ended. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const owner = processIn(name)
    if (owner === undefined || isAlive(owner)) continue
    await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** Errors that the file system did not cause stay as they are. */
function cannotUse(path: string, cause: unknown): unknown {
  const problem = fileProblem(cause)
  if (problem === undefined) return cause
  return new UserError('store', `cannot use '${path}' as the store: ${fileProblemText(problem)}`, {
    hint: fileRemedy(problem, { directory: path, otherwise: 'set HANGAR_STORE to a directory that you can write to' }),
    cause,
  })
}
