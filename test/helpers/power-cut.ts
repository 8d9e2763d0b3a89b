import type * as Fs from 'node:fs'
import type * as FsPromises from 'node:fs/promises'

/** What a cut does at the write it comes at: nothing of it is done, or, where it can be, half of it. */
export type Cut = 'before' | 'halfway'

/**
 * Counts every change that is made to the disk, and fails one of them. Nothing may be done after a cut either: code that
 * cleans up would do so here and not when the power is gone.
 */
export interface Power {
  changes: number
  /** The change, from 1, at which the power goes; 0 for never. */
  cutAt: number
  cut: Cut
  /** What the system call says. */
  code: string
}

export interface CutAt {
  readonly at: number
  readonly cut: Cut
  readonly code?: string
}

/** Lets the power go at one change; what came of that, as the caller of the run saw it. */
export async function withCut(power: Power, { at, cut, code = 'EIO' }: CutAt, use: () => Promise<unknown>) {
  Object.assign(power, { changes: 0, cutAt: at, cut, code })
  try {
    await use()
    return undefined
  } catch (error) {
    return error
  } finally {
    power.cutAt = 0
  }
}

function failure({ code, changes }: Power): Error {
  return Object.assign(new Error(`${code}: cut at change ${changes}`), { code })
}

/** Whether this change is the one that is cut; throws for every one after it. */
function isCut(power: Power): boolean {
  power.changes += 1
  if (power.cutAt !== 0 && power.changes > power.cutAt) throw failure(power)
  return power.changes === power.cutAt
}

/** `node:fs` with the power in between: for `vi.mock('node:fs', …)`. */
export function fsUnder(power: Power, fs: typeof Fs): typeof Fs {
  const openSync: typeof Fs.openSync = (path, flags, mode) => {
    if (flags === 'w' && isCut(power)) throw failure(power)
    return fs.openSync(path, flags, mode)
  }
  const ftruncateSync: typeof Fs.ftruncateSync = (file, length) => {
    if (isCut(power)) throw failure(power)
    fs.ftruncateSync(file, length)
  }
  const writeSync = (file: number, bytes: Uint8Array, from: number, length: number, at: number) => {
    if (!isCut(power)) return fs.writeSync(file, bytes, from, length, at)
    if (power.cut === 'halfway') fs.writeSync(file, bytes, from, length >> 1, at)
    throw failure(power)
  }
  return { ...fs, openSync, ftruncateSync, writeSync: writeSync as typeof Fs.writeSync }
}

/** `node:fs/promises`, likewise. */
export function fsPromisesUnder(power: Power, fs: typeof FsPromises): typeof FsPromises {
  const writeFile = async (path: string, text: string, options: object) => {
    if (!isCut(power)) return fs.writeFile(path, text, options)
    if (power.cut === 'halfway') await fs.writeFile(path, text.slice(0, text.length >> 1))
    throw failure(power)
  }
  const rename: typeof FsPromises.rename = async (from, to) => {
    if (isCut(power)) throw failure(power)
    await fs.rename(from, to)
  }
  const rm: typeof FsPromises.rm = async (path, options) => {
    if (isCut(power)) throw failure(power)
    await fs.rm(path, options)
  }
  return { ...fs, writeFile: writeFile as typeof FsPromises.writeFile, rename, rm }
}
