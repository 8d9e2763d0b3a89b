import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface RunningProgram {
  /** The output so far. */
  output(): string
  /** The exit status, when the program has ended; null if a signal ended it. */
  readonly ended: Promise<number | null>
  /** Ends the program, and waits for its end. */
  stop(): Promise<void>
  readonly pid: number
}

/** Starts a program that runs until it ends or a test stops it. */
export function startProgram(file: string, args: readonly string[], env: SpawnOptions['env']): RunningProgram {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      output += bytes
    })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    output: () => output,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
    pid: child.pid ?? 0,
  }
}
