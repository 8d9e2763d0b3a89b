import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** A failed call of the file system, in words. */
export interface FileProblem {
  /** Code of the system: `EACCES`. */
  readonly code: string
  /** `create the directory`, to be read after `cannot`. */
  readonly action: string
  /** Undefined for a call on an open file. */
  readonly path: string | undefined
  /** `permission denied` */
  readonly reason: string
}

/** System call of Node's errors -> the action in words. Errors of other calls (spawn, connect) are no file problems. */
const ACTIONS: Readonly<Record<string, string>> = {
  ...{ open: 'open', read: 'read', write: 'write', ftruncate: 'resize', fsync: 'flush', fdatasync: 'flush' },
  ...{
    mkdir: 'create the directory',
    mkdtemp: 'create a directory',
    scandir: 'list the directory',
    opendir: 'list the directory',
  },
  ...{ rename: 'rename', link: 'link', symlink: 'link', copyfile: 'copy', unlink: 'remove', rm: 'remove' },
  ...{ rmdir: 'remove the directory', chmod: 'change the mode of', utime: 'change the time of', futime: 'change' },
  ...{ stat: 'examine', lstat: 'examine', fstat: 'examine', access: 'write to', readlink: 'read', realpath: 'resolve' },
  ...{ chdir: 'enter the directory', cp: 'copy', chown: 'change the owner of' },
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'another program uses it',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists already',
  EFBIG: 'the file is too large for the file system',
  EIO: 'the disk reports an input/output error',
  EISDIR: 'it is a directory',
  ELOOP: 'it has too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'the directory is not empty',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ESTALE: 'the file server has lost it',
  EXDEV: 'it is on another file system',
}

/** The problem behind an error or its causes; undefined when the file system did not cause it. */
export function fileProblem(error: unknown): FileProblem | undefined {
  if (!(error instanceof Error)) return undefined
  const { code = '', syscall = '', path, dest, cause } = error as NodeJS.ErrnoException & { readonly dest?: string }
  const reason = REASONS[code]
  // Only writes run out of space, also where the error names no call.
  const action = ACTIONS[syscall] ?? (isFullCode(code) ? 'write' : undefined)
  if (reason === undefined || action === undefined) return fileProblem(cause)
  return { code, action, reason, path: syscall === 'chdir' ? dest : path }
}

/** `cannot create the directory '/cache/hangar': permission denied` */
export function fileProblemText({ action, path, reason }: FileProblem): string {
  return `cannot ${action} ${path === undefined ? 'a file' : `'${path}'`}: ${reason}`
}

/** Whether a code says that the disk or the quota is full. */
export function isFullCode(code: string): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Runs `use`, and adds the path to errors of calls on an open file: the system reports them without a path. */
export async function namingPath<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw withPath(path, error)
  }
}

/** The error, with a path when it is an error of the file system without one. */
export function withPath(path: string, error: unknown): unknown {
  const problem = fileProblem(error)
  if (problem === undefined || problem.path !== undefined || !(error instanceof Error)) return error
  return Object.assign(error, { path })
}

/** The directory that a problem concerns, and how to select another one. */
export interface Concerned {
  /** hangar's own directory, whose owner a hint may change; undefined when the path is below none. */
  readonly directory?: string | undefined
  /** An imperative that fits after `or`: `set HANGAR_STORE to a directory that you can write to`. */
  readonly otherwise: string
  /** The user of this process. */
  readonly uid?: number | undefined
}

/** The steps that solve a problem, as a hint. */
export function fileRemedy({ code, path }: FileProblem, concerned: Concerned): string {
  if (path === undefined) return concerned.otherwise
  const remedy = code === 'EACCES' || code === 'EPERM' ? permissionRemedy(path, concerned) : REMEDIES[code]?.(path)
  return remedy === undefined ? concerned.otherwise : `${remedy}; or ${concerned.otherwise}`
}

const MOVE_AWAY = (path: string) => `move ${existing(path)} away`
const MORE_FILES = () => 'raise the limit of open files: ulimit -n 4096'
const FREE_SPACE = (path: string) => `free disk space: df -h ${existing(path)}`

const REMEDIES: Readonly<Record<string, (path: string) => string>> = {
  EDQUOT: FREE_SPACE,
  EEXIST: MOVE_AWAY,
  EIO: () => 'read the messages of the kernel about the disk: dmesg',
  EISDIR: MOVE_AWAY,
  ELOOP: (path) => `find the symbolic link that leads to itself: namei ${shellWord(path)}`,
  EMFILE: MORE_FILES,
  ENFILE: MORE_FILES,
  ENOENT: (path) => `create what is missing: only ${existing(path)} exists`,
  ENOSPC: FREE_SPACE,
  ENOTDIR: (path) => `${existing(path)} is not a directory: move it away`,
  ENOTEMPTY: MOVE_AWAY,
  EROFS: (path) => `mount the file system writable: findmnt --target ${existing(path)}`,
  ESTALE: (path) => `mount the file system again: findmnt --target ${existing(path)}`,
}

function permissionRemedy(path: string, { directory, uid = process.getuid?.() }: Concerned): string {
  const blocking = blockingPath(path)
  const word = shellWord(blocking)
  const owner = statAt(blocking)?.uid
  if (owner === undefined || owner === uid || uid === 0)
    return `check its permissions: ls -ld ${word}; lsattr -d ${word}`
  const state = `${word} belongs to user ${owner}, and hangar runs as user ${uid}`
  const isOwn = directory !== undefined && `${blocking}/`.startsWith(`${directory}/`)
  // A directory of the system must keep its owner.
  return isOwn ? `${state}: sudo chown -R ${uid} ${word}` : state
}

/** The first part of a path that this process may not enter, else the last part that exists. */
function blockingPath(path: string): string {
  const parents = []
  for (let at = path; ; at = dirname(at)) {
    parents.unshift(at)
    if (dirname(at) === at) break
  }
  return parents.slice(0, -1).find((each) => statAt(each)?.isDirectory() && !mayEnter(each)) ?? lastExisting(path)
}

function mayEnter(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The longest part of a path that exists, as a word of a shell command. */
function existing(path: string): string {
  return shellWord(lastExisting(path))
}

/** The longest part of a path that exists. */
export function lastExisting(path: string): string {
  for (let at = path; dirname(at) !== at; at = dirname(at)) if (lstatAt(at) !== undefined) return at
  return '/'
}

function lstatAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function statAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** A path as one word of a shell command. */
function shellWord(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}
