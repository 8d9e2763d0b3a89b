import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Program } from './vm/program.ts'

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a program that the kernel ends with this one, however this one ends. */
export function startChild(program: Program, args: readonly string[]): Child {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program.file, ...program.args, ...args], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', ...program.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A Ctrl-C of the terminal is for this program alone to act on.
    detached: true,
  })
  child.on('error', () => undefined)
  return child
}

/**
 * Ends a program at once. Its output is closed from this side too: what it handed its ends of the pipes to, as ssh does
 * with the process that keeps the connection, may hold them open.
 */
export function endChild(child: Child): void {
  child.kill('SIGKILL')
  child.stdout.destroy()
  child.stderr.destroy()
}

/** Status of a program that has ended: 128 and more where a signal ended it, as a shell has it. */
export function exitOf(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  })
}

/**
 * Writes bytes to a program and closes its input. A program that stops reading is no failure here: its status tells.
 * What the source itself throws is returned, after the program was ended: it must not take half for the whole.
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
