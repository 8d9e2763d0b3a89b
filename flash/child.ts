import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Program } from './vm/program.ts'

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a program that the kernel kills when this program ends in any way. */
export function startChild(program: Program, args: readonly string[]): Child {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program.file, ...program.args, ...args], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', ...program.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Keeps a Ctrl-C of the terminal from the child: this program decides how to stop.
    detached: true,
  })
  child.on('error', () => undefined)
  return child
}

/**
 * Kills a program. Also closes its output from this side: a background process of the program, such as ssh's shared
 * connection, may hold the pipes open.
 */
export function endChild(child: Child): void {
  child.kill('SIGKILL')
  child.stdout.destroy()
  child.stderr.destroy()
}

/** The exit status of a program; 137 if a signal ended it. */
export function exitOf(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  })
}

/**
 * Writes bytes to a program and closes its input. A program may stop reading early: its exit status tells whether it
 * failed. If the source fails, the program is killed, so that it does not accept half of the input, and the source's
 * error is returned.
 */
export async function feed(child: Child, source: AsyncIterable<Uint8Array>): Promise<{ failed: unknown } | undefined> {
  let failed: { failed: unknown } | undefined
  const guarded = async function* () {
    try {
      yield* source
    } catch (error) {
      failed = { failed: error }
      endChild(child)
      throw error
    }
  }
  await pipeline(Readable.from(guarded(), { objectMode: true }), child.stdin).catch(() => undefined)
  return failed
}
