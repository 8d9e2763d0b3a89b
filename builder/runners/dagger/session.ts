import { appendFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Step } from '../../../lib/reporter.ts'
import { type AttemptOptions, attempt } from './attempt.ts'
import { type Engine, withConnection } from './engine.ts'
import { unreachable } from './engine-failure.ts'
import { prepareEnvironment } from './environment.ts'
import { requireVersion } from './version.ts'

export interface SessionOptions extends AttemptOptions {
  /** The path of the log file for the output of the engine. */
  readonly log: string
  /** Receives the output of the engine, in pieces. */
  readonly onOutput?: (piece: string) => void
  /** The progress step of the connection; it ends when the engine answers. */
  readonly connecting: Step
}

/**
 * Resolves when the last session has ended. The SDK has one connection for the process, so sessions wait for each
 * other.
 */
let free: Promise<unknown> = Promise.resolve()

/**
 * Connects to an engine after all earlier sessions have ended. When `use` ends, the engine stops all commands that
 * still run.
 */
export function withEngine<T>(options: SessionOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const session = free.then(() => hold(options, use))
  free = session.catch(() => undefined)
  return untilStopped(session, options.signal)
}

async function hold<T>(options: SessionOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const { log, onOutput, connecting, signal } = options
  let outcome: PromiseSettledResult<T> | undefined
  ignoreEndOfCli()
  await mkdir(dirname(log), { recursive: true })
  await writeFile(log, '')
  try {
    prepareEnvironment(process.env)
    await attempt(options, (answered) =>
      withConnection(appendingTo(log, onOutput), async (engine) => {
        answered()
        connecting.done('done')
        // Stores an error instead of throwing it, because the SDK would wrap it.
        outcome = (await Promise.allSettled([untilStopped(ofRightVersion(engine, use), signal)]))[0]
      }),
    )
  } catch (error) {
    if (outcome === undefined) {
      connecting.failed()
      throw unreachable(error, log, await readFile(log, 'utf8').catch(() => ''))
    }
  }
  if (outcome === undefined) throw new Error('the Dagger SDK ended without a connection and without an error')
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

async function ofRightVersion<T>(engine: Engine, use: (engine: Engine) => Promise<T>): Promise<T> {
  requireVersion(engine.version)
  return use(engine)
}

/**
 * A stream that appends to the log synchronously. The SDK still writes after its CLI has ended the stream, and an
 * ordinary stream would discard this data.
 */
function appendingTo(log: string, onOutput: SessionOptions['onOutput']): Writable {
  const decoder = new StringDecoder('utf8')
  const write = (chunk: Buffer, _: string, done: () => void) => {
    try {
      appendFileSync(log, chunk)
      onOutput?.(decoder.write(chunk))
    } catch {
      // Ignores the error, because a missing log must not fail the build.
    }
    done()
  }
  return new Writable({ write }).on('error', () => undefined)
}

function untilStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

let isWatching = false

/**
 * Handles failures of the SDK's CLI. The SDK does not handle them, and an unhandled rejection would end this program.
 */
function ignoreEndOfCli(): void {
  if (isWatching) return
  isWatching = true
  process.on('unhandledRejection', (reason) => {
    if (!isEndOfCli(reason)) throw reason
  })
}

/** Matches the SDK's `EngineSessionError` (common/errors/errors-codes.js), and execa's error for the CLI. */
function isEndOfCli(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false
  if ('code' in reason && reason.code === 'D105') return true
  return 'command' in reason && / session .*dagger\.io\/sdk\.name/.test(String(reason.command))
}
