import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { keyDirectory, storeDirectory } from '../lib/user-directories.ts'

/** A directory that hangar writes to. */
export interface WrittenDirectory {
  readonly directory: string
  /** To be read after `cannot use 'PATH' as`. */
  readonly role: string
  /** The setting that selects another directory: an imperative that fits after `or`. */
  readonly otherwise: string
}

const OWN_PROJECT = 'work in a copy of the project that you can write to'

/** Every directory that hangar writes to, apart from those that the command line names. */
export function writtenDirectories(env: NodeJS.ProcessEnv, project: string): WrittenDirectory[] {
  const candidates: readonly (readonly [find: () => string, role: string, otherwise: string])[] = [
    [() => storeDirectory(env), 'the store', 'set HANGAR_STORE to a directory that you can write to'],
    [
      () => keyDirectory(env),
      "the directory of the owner's keys",
      'set XDG_CONFIG_HOME to a directory that you can write to',
    ],
    [() => join(project, 'out'), 'the directory for built images', OWN_PROJECT],
    [() => join(project, 'hosts'), 'the directory of host files', OWN_PROJECT],
    [() => join(project, 'images'), 'the directory of lock files', OWN_PROJECT],
    [() => join(project, 'dist'), 'the directory for compiled files', OWN_PROJECT],
    [() => project, 'the project', OWN_PROJECT],
    [tmpdir, 'the directory for temporary files', 'set TMPDIR to an existing directory that you can write to'],
  ]
  return candidates.flatMap(([find, role, otherwise]) => {
    try {
      return [{ directory: find(), role, otherwise }]
    } catch {
      // The environment names no such directory. The command that needs the directory reports that.
      return []
    }
  })
}

/** The innermost of these directories that a path belongs to. A call on a parent fails when the directory is to be created. */
export function directoryOf(path: string, directories: readonly WrittenDirectory[]): WrittenDirectory | undefined {
  const innermost = [...directories].sort((a, b) => b.directory.length - a.directory.length)
  return (
    innermost.find(({ directory }) => directory === path) ??
    directories.find(({ directory }) => isWithin(directory, path)) ??
    innermost.find(({ directory }) => isWithin(path, directory))
  )
}

/** Bytes. A disk with less free space counts as full. */
const NEARLY_NOTHING = 16 * 2 ** 20

/** The directories on full disks; all directories when a cleanup has already freed space. */
export function fullest(directories: readonly WrittenDirectory[]): readonly WrittenDirectory[] {
  const full = directories.filter(({ directory }) => freeSpace(directory) < NEARLY_NOTHING)
  return full.length === 0 ? directories : full
}

/** Bytes that this user may still write; Infinity for a directory that does not exist. */
function freeSpace(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function isWithin(path: string, directory: string): boolean {
  const from = relative(directory, path)
  return from === '' || (!from.startsWith('..') && !isAbsolute(from))
}
