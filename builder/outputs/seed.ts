import { constants, copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Segment } from './segment.ts'
import { type FileState, isSameState, readState, sharedBytes } from './state.ts'

/** A complete file in the output directory of another host, with blocks that the wanted file has at the same offsets. */
interface Seed {
  readonly directory: string
  readonly name: string
  readonly state: FileState
  readonly shared: number
}

/** Makes `to` share all blocks of `from` on the disk. Throws on a file system that cannot do that, and makes no copy. */
export type Reflink = (from: string, to: string) => void

export interface Sharing {
  readonly reflink: Reflink
  /** Bytes. hangar does not look for a clone that saves less. */
  readonly atLeast: number
}

/** The sharing of builds: a changed configuration alone changes about 2 MB of a slot. */
export const SHARING: Sharing = {
  reflink: (from, to) => copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE),
  atLeast: 4 * 2 ** 20,
}

/**
 * Replaces a file by a clone of the file of another host that has most in common with the wanted file. Returns the state of
 * the clone, from which only the different bytes have to be written; undefined if nothing was replaced. The image of a new
 * host or of a new release then takes only these bytes on the disk. Hard links would do that on every file system, but
 * hangar changes images in place, and so do their owners: a change in one name would change all others.
 */
export function seedFile(
  path: string,
  wanted: readonly Segment[],
  own: FileState | undefined,
  { reflink, atLeast }: Sharing,
): FileState | undefined {
  const alone = own === undefined ? 0 : sharedBytes(own, wanted)
  const all = wanted.reduce((sum, { size }) => sum + size, 0)
  if (all - alone < atLeast) return undefined
  const seed = bestSeed(dirname(path), wanted)
  if (seed === undefined || seed.shared - alone < atLeast) return undefined
  return cloneSeed(seed, path, reflink)
}

function bestSeed(directory: string, wanted: readonly Segment[]): Seed | undefined {
  const seeds = siblingsOf(directory).flatMap((sibling) =>
    Object.entries(readState(sibling)).map(([name, state]): Seed => {
      return { directory: sibling, name, state, shared: sharedBytes(state, wanted) }
    }),
  )
  return seeds.reduce<Seed | undefined>((best, seed) => (seed.shared > (best?.shared ?? 0) ? seed : best), undefined)
}

function siblingsOf(directory: string): string[] {
  const parent = dirname(directory)
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(parent, name))
    .filter((sibling) => sibling !== directory)
    .sort()
}

/** Takes no lock of the other directory: two builds that clone from each other would wait for each other for ever. */
function cloneSeed({ directory, name, state }: Seed, path: string, reflink: Reflink): FileState | undefined {
  const temporary = join(dirname(path), `.${basename(path)}.clone`)
  try {
    reflink(join(directory, name), temporary)
    // A build empties the state before it changes a file: the clone is complete if the state is still the same.
    if (!isSameState(readState(directory)[name], state)) return undefined
    renameSync(temporary, path)
    return state
  } catch {
    // The file system cannot share blocks, or the other file has just been removed. The caller writes the file.
    return undefined
  } finally {
    rmSync(temporary, { force: true })
  }
}
