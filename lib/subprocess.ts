import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, localFailure, notStarted } from './program-error.ts'

export interface Finished {
  /** 128 when a signal ended the program. */
  readonly exitCode: number
  /** The last part of standard output and standard error, in the order of the writes. */
  readonly output: string
}

export interface RunOptions {
  readonly cwd?: string
  /** The whole environment: the program inherits nothing. */
  readonly env?: Readonly<Record<string, string>>
  /** The text for standard input. */
  readonly input?: string
  /** The path of a file for standard output and standard error. With it, `output` stays empty. */
  readonly log?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a program and waits for it. The caller judges the exit code. Throws a ProgramError if this machine cannot start the
 * program, and the reason of an aborted signal.
 */
export async function run(
  program: string | Command,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  // Loading execa takes a third of the start of a build that runs no program.
  const { execa } = await import('execa')
  const command = typeof program === 'string' ? { file: program, args: [], env: {} } : program
  const result = await execa(command.file, [...command.args, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? command.env,
    extendEnv: false,
    reject: false,
    all: true,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.log === undefined ? {} : { stdout: { file: options.log }, stderr: { file: options.log } }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal, forceKillAfterDelay: 2000 }),
  })
  if (options.signal?.aborted) throw options.signal.reason
  if (isStartError(result.cause)) throw notStarted(command, result.cause)
  const output = result.all || result.originalMessage || ''
  // The callers of named programs give their arguments to a loader, whose failures must not look like the program's.
  if (typeof program !== 'string') {
    const failure = localFailure(command, { code: result.exitCode ?? null, signal: result.signal ?? null }, output)
    if (failure !== undefined) throw failure
  }
  return { exitCode: result.exitCode ?? 128, output }
}

/** Whether the system refused to start the program. Other errors concern its pipes or a signal. */
function isStartError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && /^spawn/.test(String((error as NodeJS.ErrnoException).syscall))
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

const commands = new WeakMap<Child, Command>()

/**
 * Starts a program with pipes. The kernel kills the program when this process ends, even by SIGKILL. Throws a ProgramError
 * if this process has no files left for the pipes; `exitOf` rejects for other failures to start.
 */
export function startChild(command: Command, args: readonly string[]): Child {
  const child = spawned(command, args)
  child.on('error', () => undefined)
  // Without free file descriptors Node creates no pipes, and reports the error later.
  if (child.stdin === undefined || child.stdin === null) {
    throw notStarted(command, Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
  }
  commands.set(child, command)
  return child
}

function spawned(command: Command, args: readonly string[]): Child {
  try {
    return spawn('setpriv', ['--pdeathsig', 'KILL', command.file, ...command.args, ...args], {
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', ...command.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C in the terminal reaches this process only.
      detached: true,
    })
  } catch (error) {
    throw notStarted(command, error)
  }
}

/**
 * Kills a program and closes its output. A process that the program started may keep the other ends of the pipes open:
 * ssh does so with the process that keeps the connection.
 */
export function endChild(child: Child): void {
  child.kill('SIGKILL')
  child.stdout.destroy()
  child.stderr.destroy()
}

/** How a program ended. Both are null if `endChild` or `kill` ended it. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Waits for the end of a program. Rejects with a ProgramError when this machine could not start the program, or when a
 * signal ended it that this process did not send. Call it, and attach readers of stderr, right after `startChild`.
 */
export function endOf(child: Child): Promise<Ending> {
  const command = commands.get(child) ?? { file: child.spawnfile, args: [], env: {} }
  let stderr = ''
  child.stderr.on('data', (data) => {
    if (stderr.length < STDERR_LIMIT) stderr += String(data)
  })
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(isStartError(error) ? notStarted(command, error) : error))
    child.once('close', (code, signal) => {
      const ending = { code, signal: child.killed ? null : signal }
      const failure = localFailure(command, ending, stderr)
      if (failure === undefined) resolve(ending)
      else reject(failure)
    })
  })
}

/** The loader and setpriv write their only line first. */
const STDERR_LIMIT = 4096

/** The exit code of a program when it ends; 137 when this process ended it. Rejects as `endOf` does. */
export async function exitOf(child: Child): Promise<number> {
  const { code } = await endOf(child)
  return code ?? 137
}

/**
 * Writes bytes to a program and closes its input. If the program stops reading, its exit code gives the reason. If
 * `source` throws, kills the program, so that it does not process incomplete input, and returns the error.
 */
export async function feed(child: Child, source: AsyncIterable<Uint8Array>): Promise<{ failed: unknown } | undefined> {
  let failed: { failed: unknown } | undefined
  const guarded = async function* () {
    const pieces = source[Symbol.asyncIterator]()
    const next = async () => {
      try {
        return await pieces.next()
      } catch (error) {
        failed = { failed: error }
        endChild(child)
        throw error
      }
    }
    // Does not count an error of `yield` as a failure of the source: `yield` throws when the program stops reading.
    try {
      for (let piece = await next(); !piece.done; piece = await next()) yield piece.value
    } finally {
      await pieces.return?.()
    }
  }
  await pipeline(Readable.from(guarded(), { objectMode: true }), child.stdin).catch(() => undefined)
  return failed
}
