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
  /** A file that takes what the engine says. */
  readonly log: string
  /** Is told the same, piece by piece. */
  readonly hear?: (piece: string) => void
  /** Ends when the engine has answered. */
  readonly connecting: Step
}

/** The SDK has one connection for the whole process. */
let free: Promise<unknown> = Promise.resolve()

/** Uses an engine, once whoever came before has done so. Whatever still runs in it when `use` ends is ended, too. */
export function withEngine<T>(options: SessionOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const ours = free.then(() => hold(options, use))
  free = ours.catch(() => undefined)
  return untilStopped(ours, options.signal)
}

async function hold<T>(options: SessionOptions, use: (engine: Engine) => Promise<T>): Promise<T> {
  const { log, hear, connecting, signal } = options
  let outcome: PromiseSettledResult<T> | undefined
  letCliEnd()
  await mkdir(dirname(log), { recursive: true })
  await writeFile(log, '')
  try {
    prepareEnvironment(process.env)
    await attempt(options, (answered) =>
      withConnection(appendingTo(log, hear), async (engine) => {
        answered()
        connecting.done('done')
        // What is thrown in here would come out in words of the SDK's.
        outcome = (await Promise.allSettled([untilStopped(ofRightVersion(engine, use), signal)]))[0]
      }),
    )
  } catch (error) {
    if (outcome === undefined) {
      connecting.failed()
      throw unreachable(error, log, await readFile(log, 'utf8').catch(() => ''))
    }
  }
  if (outcome === undefined) throw new Error('the Dagger SDK has connected to nothing and complained of nothing')
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

async function ofRightVersion<T>(engine: Engine, use: (engine: Engine) => Promise<T>): Promise<T> {
  requireVersion(engine.version)
  return use(engine)
}

/** Written at once: the SDK goes on writing when its CLI has ended the stream, and what a stream still holds is lost then. */
function appendingTo(log: string, hear: SessionOptions['hear']): Writable {
  const decoder = new StringDecoder('utf8')
  const write = (chunk: Buffer, _: string, done: () => void) => {
    try {
      appendFileSync(log, chunk)
      hear?.(decoder.write(chunk))
    } catch {
      // A log that cannot be written fails no build.
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

/** The SDK waits for no end of its CLI: one that fails would take this program along. */
function letCliEnd(): void {
  if (isWatching) return
  isWatching = true
  process.on('unhandledRejection', (reason) => {
    if (!isEndOfCli(reason)) throw reason
  })
}

/** `EngineSessionError` (common/errors/errors-codes.js), or how execa puts that a program failed. */
function isEndOfCli(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false
  if ('code' in reason && reason.code === 'D105') return true
  return 'command' in reason && / session .*dagger\.io\/sdk\.name/.test(String(reason.command))
}
