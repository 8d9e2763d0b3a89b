import type { Dirent } from 'node:fs'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Digest, isDigest } from '../../images/digest.ts'
import { emptyIfAbsent } from '../../lib/writable-directory.ts'
import { PACKAGES, toolchainIn } from '../toolchain/toolchain.ts'
import type { Store } from './store.ts'
import { listObjects, type StoredObject } from './verify.ts'

/** Everything in the store that gc keeps. */
export interface Reached {
  readonly objects: ReadonlySet<Digest>
  /** The digests of the derivations whose output records gc keeps. */
  readonly outputs: ReadonlySet<Digest>
  /** The digests of the toolchains that gc keeps. */
  readonly toolchains: ReadonlySet<Digest>
  /**
   * The directories of toolchains that running processes use. gc keeps them even if nothing refers to their digests.
   */
  readonly inUse: readonly string[]
}

export interface Garbage {
  readonly objects: readonly StoredObject[]
  /** Output records and logs of derivations. */
  readonly records: readonly string[]
  readonly toolchains: readonly { readonly directory: string; readonly size: number }[]
}

/** Makes one change to the store. Tests replace this function to stop the process before or after a change. */
export type Step = (what: string, act: () => Promise<unknown>) => Promise<void>

export const justDo: Step = async (_, act) => void (await act())

/** Finds everything in the store that nothing refers to, and changes nothing. */
export async function findGarbage(store: Store, reached: Reached): Promise<Garbage> {
  const [objects, outputs, logs, toolchains] = await Promise.all([
    listObjects(store),
    recordsBelow(join(store.root, 'outputs'), '.json', (name) => name.slice(0, 2)),
    recordsBelow(join(store.root, 'logs'), '.log', () => '.'),
    unreachedToolchains(store, reached),
  ])
  return {
    objects: objects.filter(({ object }) => !reached.objects.has(object)),
    records: [...outputs, ...logs].filter(({ name }) => !reached.outputs.has(name)).map(({ file }) => file),
    toolchains,
  }
}

/**
 * Removes garbage. Deletes a record before its objects, and moves a toolchain away before it deletes the files. After
 * an interruption at any point, all remaining outputs and toolchains are complete.
 */
export async function removeGarbage(store: Store, garbage: Garbage, step: Step = justDo): Promise<void> {
  for (const file of garbage.records) await step(`remove ${basename(file)}`, () => rm(file, { force: true }))
  for (const { file } of garbage.objects) await step(`remove ${basename(file)}`, () => rm(file, { force: true }))
  for (const { directory } of garbage.toolchains) await removeToolchain(store, directory, step)
}

async function removeToolchain(store: Store, directory: string, step: Step): Promise<void> {
  await store.scratch('collected-toolchain', async (scratch) => {
    await step(`move ${basename(directory)}`, () => rename(directory, join(scratch, 'root')).catch(ignoreAbsent))
    await step(`remove the list of ${basename(directory)}`, () => rm(`${directory}${PACKAGES}`, { force: true }))
  })
}

/** Includes package lists whose toolchain directory is missing, because an interrupted removal leaves such lists. */
async function unreachedToolchains(store: Store, { toolchains, inUse }: Reached): Promise<Garbage['toolchains']> {
  const parent = join(store.root, 'toolchains')
  const names = (await entriesOf(parent)).map(({ name }) => name.replace(PACKAGES, ''))
  const used = new Set(inUse.map((each) => basename(each)))
  const isUnreached = (name: string) => {
    const digest = toolchainIn(name)
    return digest !== undefined && !used.has(name) && !toolchains.has(digest)
  }
  return Promise.all(
    [...new Set(names)]
      .filter(isUnreached)
      .map(async (name) => ({ directory: join(parent, name), size: await sizeBelow(join(parent, name)) })),
  )
}

/** The files `DIGEST.ENDING` in the folder that belongs to their digest. hangar puts no such files elsewhere. */
async function recordsBelow(
  directory: string,
  ending: string,
  folderOf: (name: Digest) => string,
): Promise<{ name: Digest; file: string }[]> {
  const found = await readdir(directory, { recursive: true }).catch(emptyIfAbsent)
  return found.flatMap((path) => {
    const name = basename(path, ending)
    const isRecord = path.endsWith(ending) && isDigest(name) && dirname(path) === folderOf(name)
    return isRecord ? [{ name, file: join(directory, path) }] : []
  })
}

/** The size of all regular files in bytes. */
async function sizeBelow(directory: string): Promise<number> {
  let size = 0
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) size += await sizeBelow(path)
    else if (entry.isFile()) size += (await lstat(path)).size
  }
  return size
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(emptyIfAbsent)
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
