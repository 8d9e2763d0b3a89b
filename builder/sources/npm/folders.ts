import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FolderTexts } from '../../../images/npm/locked-packages.ts'
import { SERVICE_FOLDERS } from '../../../images/npm/npm-package.ts'
import { replaceFile } from '../../../lib/atomic-file.ts'
import { emptyIfAbsent } from '../../../lib/writable-directory.ts'

const MANIFEST = 'package.json'
const LOCK = 'package-lock.json'

/** Reads the two files of each folder of services that has a `package.json`: path of the folder -> texts. */
export async function readFolders(project: string): Promise<Record<string, FolderTexts>> {
  const found = await foldersBelow(project, SERVICE_FOLDERS)
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function foldersBelow(project: string, folder: string): Promise<[string, FolderTexts][]> {
  const entries = await readdir(resolve(project, folder), { withFileTypes: true }).catch(emptyIfAbsent)
  const below = entries.filter((each) => each.isDirectory() && each.name !== 'node_modules')
  const nested = await Promise.all(below.map(({ name }) => foldersBelow(project, `${folder}/${name}`)))
  if (!entries.some(({ name }) => name === MANIFEST)) return nested.flat()
  const [manifest = '', lock] = await Promise.all(
    [MANIFEST, LOCK].map((name) => textOf(resolve(project, folder, name))),
  )
  return [[folder, { manifest, lock }], ...nested.flat()]
}

/** Writes the locks that changed, and returns their paths. */
export async function writeFolders(project: string, folders: Readonly<Record<string, FolderTexts>>): Promise<string[]> {
  const written: string[] = []
  for (const [name, { lock }] of Object.entries(folders)) {
    const file = resolve(project, name, LOCK)
    if (lock === undefined || lock === (await textOf(file))) continue
    await replaceFile(file, lock)
    written.push(file)
  }
  return written
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
