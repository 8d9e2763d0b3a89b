import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { UserError } from '../../../errors.ts'
import { makeDirectory } from '../../../lib/make-directory.ts'
import type { Step } from '../../../lib/reporter.ts'
import { stopWith } from '../../../lib/worker-pool.ts'
import { type Connection, DEADLINES, type Deadlines, openConnection } from './connection.ts'
import { type Engine, engineOf } from './engine.ts'
import { unreachable } from './engine-failure.ts'
import { requireVersion } from './version.ts'

export interface SessionOptions {
  readonly signal?: AbortSignal | undefined
  /** The path of the log file for the output of the engine. */
  readonly log: string
  /** Receives the output of the engine, in pieces. */
  readonly onOutput?: (piece: string) => void
  /** The progress step of the connection; it ends when the engine answers. */
  readonly connecting: Step
  readonly deadlines?: Deadlines
}

/** The work with an engine. `stop` ends all queries; it aborts when the engine is lost. */
export type UseEngine<T> = (engine: Engine, stop: AbortController) => Promise<T>

/** Resolves when the last session has ended. Sessions wait for each other, because they share the log file. */
let free: Promise<unknown> = Promise.resolve()

/**
 * Connects to an engine after all earlier sessions have ended. Settles when `use` has settled and the CLI has ended. The
 * engine then stops all commands that still run.
 */
export function withEngine<T>(options: SessionOptions, use: UseEngine<T>): Promise<T> {
  const session = free.then(() => hold(options, use))
  free = session.catch(() => undefined)
  return session
}

async function hold<T>(options: SessionOptions, use: UseEngine<T>): Promise<T> {
  const stop = stopWith(options.signal)
  stop.signal.throwIfAborted()
  const { connection, engine } = await connected(options, stop)
  try {
    const result = await use(engine, stop)
    await connection.close('politely')
    return result
  } catch (error) {
    const reason = await connection.explain(error)
    await connection.close('now')
    options.signal?.throwIfAborted()
    throw reason
  }
}

async function connected(options: SessionOptions, stop: AbortController) {
  const { log, onOutput, connecting, deadlines = DEADLINES } = options
  let connection: Connection | undefined
  try {
    makeDirectory(dirname(log))
    writeFileSync(log, '')
    connection = await openConnection(process.env, { deadlines, stop, onOutput: appendingTo(log, onOutput) })
    requireVersion(connection.version)
    const { close } = connection
    const settled = async () => {
      if (stop.signal.aborted) await close('now')
    }
    const engine = engineOf({ ...connection, settled })
    connecting.done('done')
    return { connection, engine }
  } catch (error) {
    connecting.failed()
    await connection?.close('now')
    options.signal?.throwIfAborted()
    throw error instanceof UserError && error.code === 'engine' ? error : unreachable(error, log, textOf(log))
  }
}

function textOf(log: string): string {
  try {
    return readFileSync(log, 'utf8')
  } catch {
    return ''
  }
}

/** Appends at once, so that the log is complete when the CLI fails. */
function appendingTo(log: string, onOutput: SessionOptions['onOutput']): (piece: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  return (piece) => {
    try {
      appendFileSync(log, piece)
      onOutput?.(decoder.write(piece))
    } catch {
      // Ignores the error, because a missing log must not fail the build.
    }
  }
}
