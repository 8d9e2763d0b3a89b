import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** A program failed after it said why in the output of the step. */
export class ProgramFailed extends Error {}

/** Runs a program with this process's output. Throws if it fails. */
export function exec(
  program: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(new ProgramFailed(`${[program, ...args.slice(0, 4)].join(' ')} failed: ${signal ?? `status ${code}`}`))
    })
  })
}

/** Runs a program and returns its stdout. Throws if it fails. */
export async function capture(program: string, args: readonly string[], input = ''): Promise<string> {
  const output = await captureBytes(program, args, async (stdin) => void stdin.write(input))
  return output.toString()
}

/** Runs a program and returns its stdout. `feed` writes to its stdin, which is closed afterwards. Throws if it fails. */
export async function captureBytes(
  program: string,
  args: readonly string[],
  feed: (stdin: Writable) => Promise<void>,
): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  const status = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  child.stdin.on('error', () => {})
  const [code, failure] = await Promise.all([status, feedToEnd(child.stdin, feed)])
  if (code !== 0) throw new ProgramFailed(`${program} ${args.slice(0, 4).join(' ')} failed: status ${code}`)
  if (failure !== undefined) throw failure
  return Buffer.concat(pieces)
}

/** Returns an error instead of throwing it: if the program exits early, its status explains more than EPIPE. */
async function feedToEnd(stdin: Writable, feed: (stdin: Writable) => Promise<void>): Promise<unknown> {
  try {
    await feed(stdin)
    stdin.end()
    return undefined
  } catch (error) {
    stdin.destroy()
    return error
  }
}
