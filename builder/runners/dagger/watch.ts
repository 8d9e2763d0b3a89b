import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../../errors.ts'
import type { EngineAddress } from './address.ts'
import { type Cli, CliEnded } from './cli.ts'
import { innermost, lostEngine } from './engine-failure.ts'
import { type Rhythm, startHeartbeat } from './heartbeat.ts'
import { connectionProblem, LATE } from './reach.ts'
import { transferred } from './transfer-count.ts'

interface WatchOptions {
  readonly address: EngineAddress
  readonly cli: Cli | undefined
  /** A cheap query, which an abort of `stop` does not end. */
  readonly ask: () => Promise<unknown>
  /** Ends all other queries when the engine is lost. */
  readonly stop: AbortController
  readonly rhythm: Rhythm
  /** The time for one look at the engine after a failure, in milliseconds. */
  readonly timeout: number
}

/** Watches the engine of an open session. */
export interface Watch {
  /** Tells that the engine has just answered. */
  readonly heard: () => void
  /** The reason for a failure: the engine that is lost, or the given error if the engine still answers. */
  readonly explain: (error: unknown) => Promise<unknown>
  readonly end: () => void
}

export function watchEngine({ address, cli, ask, stop, rhythm, timeout }: WatchOptions): Watch {
  let lost: UserError | undefined
  let isOver = false
  const lose = (reason: string, cause?: unknown) => {
    if (isOver) return
    lost ??= lostEngine(address.name, reason, cause)
    stop.abort(lost)
  }
  const moved = movedSince(() => transferred(cli?.pid).written)
  const silent = async (silence: number) => {
    const problem = await connectionProblem(address, { signal: NEVER, timeout: rhythm.tick })
    const without = `no answer for ${silence / 1000} s`
    lose(problem === undefined || problem.code === LATE ? without : `${without}; ${problem.reason}`)
  }
  const heart = startHeartbeat({ ask, moved, lost: (silence) => void silent(silence) }, rhythm)
  cli?.ended.then(
    (ending) => lose(new CliEnded(ending).message),
    (error) => lose(innermost(error), error),
  )
  const look = async (error: UserError) => {
    // The end of the CLI is the best reason, but the system reports it a moment later than the end of its connections.
    if (cli !== undefined) await Promise.race([cli.ended.catch(() => undefined), sleep(MOMENT)])
    if (lost !== undefined) return
    const problem = await connectionProblem(address, { signal: NEVER, timeout })
    if (problem !== undefined) return lose(problem.reason, error)
    const silence = await Promise.race([ask().then(() => undefined, innermost), lateness(timeout)])
    if (silence !== undefined) lose(silence, error)
  }
  return {
    heard: heart.heard,
    async explain(error) {
      if (error instanceof UserError && error.code === 'engine') await look(error)
      return lost ?? error
    },
    end() {
      isOver = true
      heart.end()
    },
  }
}

const NEVER = new AbortController().signal

/** Milliseconds. */
const MOMENT = 1000

/** Bytes. The queries of the heartbeat move less. */
const A_MOVE = 64 * 1024

function movedSince(count: () => number): () => boolean {
  let before = count()
  return () => {
    const now = count()
    const hasMoved = now - before >= A_MOVE
    before = now
    return hasMoved
  }
}

async function lateness(timeout: number): Promise<string> {
  await sleep(timeout, undefined, { ref: false })
  return `no answer for ${timeout / 1000} s`
}
