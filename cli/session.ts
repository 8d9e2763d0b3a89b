import { constants } from 'node:os'
import { UserError } from '../errors.ts'
import { enterTypedDirectory } from '../lib/working-directory.ts'
import type { CommandContext } from './command.ts'
import { writtenDirectories } from './directories.ts'
import { describeFailure } from './failure.ts'
import { hostFiles } from './host-files/load.ts'
import { openReporter } from './reporter.ts'

export interface Session extends CommandContext {
  /** Ends the live display and writes a result to stdout. */
  print(text: string): void
}

type Stop = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/**
 * The time in milliseconds in which a second signal counts as the same Ctrl-C: the terminal sends the signal, and npm
 * forwards it once more.
 */
const SAME_SIGNAL = 500
/** The time for the cleanup of an interrupted command, in milliseconds. */
const CLEANUP_TIME = 10_000

/** Runs one command from start to end: handles signals, the live display, errors and the exit status. */
export async function withSession(project: string, use: (session: Session) => Promise<void>): Promise<void> {
  const reporter = openReporter(process)
  const stop = new AbortController()
  let stoppedBy: Stop | undefined
  const fail = (error: unknown) => {
    reporter.close()
    process.exitCode = stoppedBy === undefined ? printFailure(error, project) : printStop(error, stoppedBy)
  }
  const release = onStop((name) => {
    stoppedBy = name
    reporter.notice('stopping; press Ctrl-C again to quit immediately')
    stop.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
  })
  process.once('uncaughtException', (error) => {
    fail(error)
    process.exit()
  })
  const print = (text: string) => {
    reporter.close()
    process.stdout.write(`${text}\n`)
  }
  try {
    enterTypedDirectory(process.env, project)
    await use({
      ...{ env: process.env, project, reporter, now: new Date(), signal: stop.signal },
      hosts: hostFiles(project),
      leaveTerminal: () => reporter.close(),
      print,
    })
  } catch (error) {
    fail(error)
  } finally {
    reporter.close()
    release()
  }
}

function printFailure(error: unknown, project: string): number {
  const { text, exitCode } = describeFailure(error, writtenDirectories(process.env, project))
  process.stderr.write(`${text}\n`)
  return exitCode
}

/** Prints how to continue after a stop. A command that cannot simply run again has its own message. */
function printStop(error: unknown, name: Stop): number {
  const text =
    error instanceof UserError && error.code === 'stopped'
      ? `stopped: ${error.message}\nhint: ${error.hint}`
      : 'stopped: finished steps are kept; run the same command again to continue'
  process.stderr.write(`${text}\n`)
  return statusOf(name)
}

/** Calls `first` at the first signal; the second signal exits immediately. Returns a function that ends the watch. */
function onStop(first: (name: Stop) => void): () => void {
  let at: number | undefined
  const watch = (name: Stop) => {
    if (at === undefined) {
      at = performance.now()
      setTimeout(() => process.exit(statusOf(name)), CLEANUP_TIME).unref()
      first(name)
    } else if (performance.now() - at > SAME_SIGNAL) process.exit(statusOf(name))
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, watch)
  return () => {
    // Keeps watching after the first signal, so that a second signal quits immediately during the cleanup.
    if (at === undefined) for (const name of names) process.off(name, watch)
  }
}

/** The exit status that shells use for a signal. */
function statusOf(name: Stop): number {
  return 128 + constants.signals[name]
}
