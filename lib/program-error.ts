import { basename } from 'node:path'
import { UserError } from '../errors.ts'
import { mountOf } from './mount.ts'

/** A program with its first arguments and the variables that it needs. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The program's name in messages. Default: the name of the file. */
  readonly name?: string
  /** `store`: hangar unpacked the program into the store. Default: a program of this machine. */
  readonly origin?: 'store'
}

/** This machine could not start a program, or ended it by a signal. The error tells nothing about any host. */
export class ProgramError extends UserError {
  constructor(message: string, options: { hint: string; cause?: unknown }) {
    super('program', message, options)
    this.name = 'ProgramError'
  }
}

/** The error for a program that the system refused to start. */
export function notStarted(command: Command, error: unknown): ProgramError {
  const { code, path, message } = error as NodeJS.ErrnoException
  // Children start by way of setpriv, so that the path of the error may name setpriv.
  const file = path ?? command.file
  return failure(command, file, REASONS[code ?? ''] ?? message, error)
}

/**
 * The error if the ending of a program comes from this machine, and not from the program: setpriv or the loader could not
 * start the program, or a signal of this machine ended it.
 */
export function localFailure(
  command: Command,
  { code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
  stderr: string,
): ProgramError | undefined {
  if (signal !== null) return signalled(command, signal)
  const lines = code === null || code === 0 || code === 255 ? [] : stderr.split('\n').map((line) => line.trimEnd())
  for (const line of lines) {
    const [file, reason] = startProblem(command, line) ?? []
    if (file !== undefined && reason !== undefined) return failure(command, file, reason, new Error(line))
  }
  return undefined
}

/** The file and the reason, if setpriv or the loader of the program wrote this line. */
function startProblem(command: Command, line: string): [file: string, reason: string] | undefined {
  const own = `setpriv: failed to execute ${command.file}: `
  if (line.startsWith(own)) return [command.file, line.slice(own.length)]
  if (/^setpriv: .*(pdeathsig|parent.death)/.test(line)) return ['setpriv', line.slice('setpriv: '.length)]
  // execvp(3) gives a file that is no program to a shell, which then names the file and a line.
  if (command.origin === 'store' && line.startsWith(`${command.file}: `) && /: (line )?\d+: /.test(line)) {
    return [command.file, 'Exec format error']
  }
  for (const file of [command.file, ...command.args]) {
    for (const problem of LOADER_PROBLEMS) {
      const start = `${file}: ${problem}: `
      if (file.startsWith('/') && line.startsWith(start)) return [file, line.slice(start.length)]
    }
  }
  return undefined
}

const LOADER_PROBLEMS = ['error while loading shared libraries', 'symbol lookup error']

/** Reasons in the words of strerror(3), which setpriv and the loader use. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOEXEC: 'Exec format error',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EMFILE: 'Too many open files',
  ENFILE: 'Too many open files in system',
  E2BIG: 'Argument list too long',
  ETXTBSY: 'Text file busy',
  ELOOP: 'Too many levels of symbolic links',
  EIO: 'Input/output error',
}

function failure(command: Command, file: string, reason: string, cause: unknown): ProgramError {
  const mount = /Permission denied|Operation not permitted|failed to map/.test(reason) ? noexecMount(file) : undefined
  const name = command.name ?? basename(command.file)
  const start = `cannot start '${name}' on this machine: '${file}': `
  if (mount === undefined) return new ProgramError(`${start}${reason}`, { hint: remedy(command, file, reason), cause })
  const remount = `allow programs there: mount -o remount,exec ${mount}`
  return command.origin === 'store'
    ? new ProgramError(`${start}HANGAR_STORE is on a file system mounted with noexec ('${mount}')`, {
        hint: `${remount}; or keep the store on another file system: HANGAR_STORE=DIRECTORY`,
        cause,
      })
    : new ProgramError(`${start}its file system '${mount}' is mounted with noexec`, { hint: remount, cause })
}

/** Program -> the Debian package that has it. */
const PACKAGES: Readonly<Record<string, string>> = {
  ...{ cp: 'coreutils', dd: 'coreutils', env: 'coreutils', sort: 'coreutils' },
  ...{ git: 'git', setpriv: 'util-linux', unshare: 'util-linux' },
}

function remedy({ origin }: Command, file: string, reason: string): string {
  const limit = LIMITS.find(([pattern]) => pattern.test(reason))
  if (limit !== undefined) return limit[1]
  if (/^(Permission denied|Operation not permitted)/.test(reason)) {
    return `check the modes of the file and of its directories: namei -l '${file}'. SELinux, AppArmor or seccomp may also forbid the start`
  }
  if (origin === 'store' && file.startsWith('/')) return 'check the programs in the store: npm run store:verify'
  const name = basename(file)
  const debianPackage = PACKAGES[name]
  if (debianPackage !== undefined) return `install it: apt-get install ${debianPackage}`
  return `install the program '${name}', or correct PATH`
}

const LIMITS: readonly (readonly [RegExp, string])[] = [
  [
    /Resource temporarily unavailable/,
    'this user runs too many processes: see ulimit -u and the limits of the container',
  ],
  [
    /Cannot allocate memory|failed to map segment/,
    'end other programs, or raise the memory limit: see free and ulimit -v',
  ],
  [/Too many open files/, 'raise the limit of open files: ulimit -n 4096'],
]

function signalled(command: Command, signal: NodeJS.Signals): ProgramError {
  const name = command.name ?? basename(command.file)
  return new ProgramError(`'${name}' ended on this machine by the signal ${signal}: '${command.file}'`, {
    hint:
      signal === 'SIGKILL'
        ? 'this machine may lack memory, or another program ended it: dmesg | tail. Then run the same command again'
        : 'run the same command again. If it fails again: dmesg | tail',
  })
}

/** The mount point of a file, if the file system is mounted with noexec. */
function noexecMount(file: string): string | undefined {
  try {
    const { point, options } = mountOf(file)
    return options.includes('noexec') ? point : undefined
  } catch {
    return undefined
  }
}
