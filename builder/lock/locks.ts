import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Toolchain } from '../../images/derivation.ts'
import type { LockedFile, SourceRequest } from '../../images/locked-file.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import { sourceOf } from '../sources/registry.ts'
import type { LockFormat } from '../sources/source.ts'
import type { Store } from '../store/store.ts'

/** The locks of all sources, combined. */
export interface Locks {
  /** The time of the newest lock, in seconds since 1970. */
  readonly time: number
  /** Every file of every lock. */
  readonly files: readonly LockedFile[]
  /** The names of the requests that have an entry in the locks. */
  readonly names: readonly string[]
  /** The package sets that hangar can unpack as programs for derivations. */
  readonly toolchains: readonly Toolchain[]
  /** The texts of all non-empty lock files, concatenated. */
  readonly text: string
  /** The locked files of a request; undefined if the locks have no entry for the request as it is now. */
  readonly locked: (request: SourceRequest) => readonly LockedFile[] | undefined
  readonly nameOf: (request: SourceRequest) => string
  /** Returns the lock of one source. */
  readonly of: (source: LockFormat) => unknown
}

/**
 * Reads the lock of each source, with the facts that the store has about its files. A source without a lock file has an
 * empty lock.
 */
export async function readLocks(project: string, formats: readonly LockFormat[], store: Store): Promise<Locks> {
  const read = formats.map(async (format) => {
    const lock = await readLock(project, format)
    return [format.name, lock === format.empty ? lock : (format.recall?.(lock, store) ?? lock)] as const
  })
  return locksOf(formats, new Map(await Promise.all(read)))
}

async function readLock(project: string, format: LockFormat): Promise<unknown> {
  if (format.storage !== undefined) return format.storage.read(project)
  const text = await readFile(resolve(project, format.lockFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? format.empty : format.parse(text, format.lockFile)
}

/**
 * Combines the locks of these sources. `locks` maps the name of a source to its lock; a source without an entry has an
 * empty lock.
 */
export function locksOf(formats: readonly LockFormat[], locks: ReadonlyMap<string, unknown>): Locks {
  const of = (format: LockFormat) => locks.get(format.name) ?? format.empty
  const all = formats.map((format) => ({ format, lock: of(format) }))
  return {
    time: Math.max(...all.map(({ format, lock }) => format.time(lock))),
    files: all.flatMap(({ format, lock }) => format.files(lock)),
    names: all.flatMap(({ format, lock }) => format.names(lock)),
    toolchains: all.flatMap(({ format, lock }) => format.toolchains(lock)),
    text: all.flatMap(({ format, lock }) => (lock === format.empty ? [] : [format.text(lock)])).join(''),
    locked: (request) => {
      const format = sourceOf(formats, request)
      return format.locked(of(format), request)
    },
    nameOf: (request) => sourceOf(formats, request).nameOf(request),
    of,
  }
}

/** Replaces the lock files of a source that changed, and returns their paths. */
export async function writeLock(project: string, format: LockFormat, lock: unknown): Promise<readonly string[]> {
  if (format.storage !== undefined) return format.storage.write(project, lock)
  const file = resolve(project, format.lockFile)
  await replaceFile(file, format.text(lock))
  return [file]
}
