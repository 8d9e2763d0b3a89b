import { constants } from 'node:os'
import type { CliContext } from '../builder/context.ts'
import { UserError } from '../errors.ts'
import { describeFailure } from './failure.ts'
import { openReporter } from './reporter.ts'

export interface Session extends CliContext {
  /** Ends the live display and writes a result. */
  print(text: string): void
  /** Ends the live display: somebody else has the terminal from now on. */
  leaveTerminal(): void
}

type Stop = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** npm hands on the Ctrl-C that the terminal has already sent: what comes as soon as this (ms) is the same one. */
const SAME_SIGNAL = 500
/** How long (ms) an interrupted command may take to clean up. */
const PATIENCE = 10_000

/** Runs one command to its end: signals, the display, what is printed of an error, and the exit status. */
export async function withSession(project: string, use: (session: Session) => Promise<void>): Promise<void> {
  const reporter = openReporter(process)
  const stop = new AbortController()
  let stoppedBy: Stop | undefined
  const fail = (error: unknown) => {
    reporter.close()
    process.exitCode = stoppedBy === undefined ? printFailure(error) : printStop(error, stoppedBy)
  }
  const release = onStop((name) => {
    stoppedBy = name
    reporter.notice('stopping; once more ends it at once')
    stop.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
  })
  process.once('uncaughtException', (error) => {
    fail(error)
    process.exit()
  })
  const { env } = process
  const print = (text: string) => {
    reporter.close()
    process.stdout.write(`${text}\n`)
  }
  try {
    const now = new Date()
    await use({ env, project, reporter, now, signal: stop.signal, print, leaveTerminal: () => reporter.close() })
  } catch (error) {
    fail(error)
  } finally {
    reporter.close()
    release()
  }
}

function printFailure(error: unknown): number {
  const { text, exitCode } = describeFailure(error)
  process.stderr.write(`${text}\n`)
  return exitCode
}

/** Where the same command does not go on, the one that was ended says what does. */
function printStop(error: unknown, name: Stop): number {
  const text =
    error instanceof UserError && error.code === 'stopped'
      ? `stopped: ${error.message}\nhint: ${error.hint}`
      : 'stopped: what is done is kept, the same command goes on from here'
  process.stderr.write(`${text}\n`)
  return statusOf(name)
}

/** Calls back at the first signal; the second one ends the program at once. Returns what ends the watch. */
function onStop(first: (name: Stop) => void): () => void {
  let at: number | undefined
  const watch = (name: Stop) => {
    if (at === undefined) {
      at = performance.now()
      setTimeout(() => process.exit(statusOf(name)), PATIENCE).unref()
      first(name)
    } else if (performance.now() - at > SAME_SIGNAL) process.exit(statusOf(name))
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, watch)
  return () => {
    // Once stopping, a second signal counts to the very end.
    if (at === undefined) for (const name of names) process.off(name, watch)
  }
}

/** As a shell has it. */
function statusOf(name: Stop): number {
  return 128 + constants.signals[name]
}
