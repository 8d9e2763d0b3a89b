import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Finished {
  /** The exit code; 128 if the program did not start or a signal ended it. */
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
 * Runs a program and waits until it ends. The caller checks the exit code. Throws only the reason of an aborted signal.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  // Loads execa only here, because this takes a third of the start of a build that runs no program.
  const { execa } = await import('execa')
  const result = await execa(program, [...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? {},
    extendEnv: false,
    reject: false,
    all: true,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.log === undefined ? {} : { stdout: { file: options.log }, stderr: { file: options.log } }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal, forceKillAfterDelay: 2000 }),
  })
  if (options.signal?.aborted) throw options.signal.reason
  return { exitCode: result.exitCode ?? 128, output: result.all || result.originalMessage || '' }
}

/** A program with its first arguments and the variables that it needs. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a program with pipes. The kernel kills the program when this process ends, even by SIGKILL. */
export function startChild(command: Command, args: readonly string[]): Child {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command.file, ...command.args, ...args], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', ...command.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Starts a new process group, so that Ctrl-C in the terminal does not reach the program.
    detached: true,
  })
  child.on('error', () => undefined)
  return child
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

/** The exit code of a program when it ends; 137 when a signal ended it. Rejects when it could not be started. */
export function exitOf(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  })
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
