import type * as Fs from 'node:fs'
import type * as FsPromises from 'node:fs/promises'

/** The part of the interrupted write that reaches the disk: nothing, or half of it if possible. */
export type Cut = 'before' | 'halfway'

/**
 * Counts the changes to the disk, and fails one change and all later ones, because cleanup code cannot run after a power
 * cut.
 */
export interface Power {
  changes: number
  /** Number of the change at which the power is cut, from 1; 0 cuts no power. */
  cutAt: number
  cut: Cut
  /** Error code of the failing system call. */
  code: string
}

export interface CutAt {
  readonly at: number
  readonly cut: Cut
  readonly code?: string
}

/** Cuts the power at one change of `use`. Returns the error of `use`, undefined if there is none. */
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

/** True for the change at which the power is cut. Throws for every later change. */
function isCut(power: Power): boolean {
  power.changes += 1
  if (power.cutAt !== 0 && power.changes > power.cutAt) throw failure(power)
  return power.changes === power.cutAt
}

/** `node:fs` that fails at the power cut, for `vi.mock('node:fs', …)`. */
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

/** `node:fs/promises` that fails at the power cut. */
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
