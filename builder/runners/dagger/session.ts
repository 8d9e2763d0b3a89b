import { appendFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import type { Step } from '../../reporter.ts'
import { killCli } from './cli-process.ts'
import { type Engine, withConnection } from './engine.ts'
import { noAnswer, unreachable } from './engine-failure.ts'
import { namedHost, prepareEnvironment } from './environment.ts'
import { requireVersion } from './version.ts'

export interface SessionOptions {
  /** A file that takes what the engine says. */
  readonly log: string
  /** Ends when the engine has answered. */
  readonly connecting: Step
  readonly signal?: AbortSignal | undefined
  /** How long (ms) an engine that is named, and so runs, may take to answer; the CLI would try for ever. */
  readonly patience?: number
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
  const { log, connecting, signal } = options
  let outcome: PromiseSettledResult<T> | undefined
  const attempt = attemptOf(options)
  letCliEnd()
  await mkdir(dirname(log), { recursive: true })
  await writeFile(log, '')
  try {
    prepareEnvironment(process.env)
    const connection = withConnection(appendingTo(log), async (engine) => {
      attempt.succeeded()
      connecting.done('done')
      // What is thrown in here would come out in words of the SDK's.
      outcome = (await Promise.allSettled([untilStopped(ofRightVersion(engine, use), signal)]))[0]
    })
    await Promise.race([connection, attempt.failed])
  } catch (error) {
    if (outcome === undefined) {
      connecting.failed()
      throw unreachable(error, log, await readFile(log, 'utf8').catch(() => ''))
    }
  } finally {
    attempt.succeeded()
  }
  if (outcome === undefined) throw new Error('the Dagger SDK has connected to nothing and complained of nothing')
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

/** Until an engine has answered, a stop and the end of patience end the CLI, which would go on trying. */
function attemptOf({ signal, patience = 30_000 }: SessionOptions) {
  const { host, kind } = namedHost(process.env)
  let giveUp: (reason: unknown) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    giveUp = (reason) => {
      killCli()
      reject(reason)
    }
  })
  failed.catch(() => undefined)
  const stop = () => giveUp(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const late = () => giveUp(noAnswer(host, patience))
  const timer = kind === 'running' ? setTimeout(late, patience) : undefined
  const succeeded = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  return { failed, succeeded }
}

async function ofRightVersion<T>(engine: Engine, use: (engine: Engine) => Promise<T>): Promise<T> {
  requireVersion(engine.version)
  return use(engine)
}

/** Written at once: the SDK goes on writing when its CLI has ended the stream, and what a stream still holds is lost then. */
function appendingTo(log: string): Writable {
  const write = (chunk: Buffer, _: string, done: () => void) => {
    appendFileSync(log, chunk)
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
