import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { plainProgress } from './progress.ts'

/** Logs of running commands in an engine, written while the commands run. */
export interface LiveLogs {
  /** Receives the output of the CLI, in pieces. */
  readonly onOutput: (piece: string) => void
  /** Starts the log of a command with this name. */
  readonly open: (name: string, file: string) => void
  /** Closes the log, and ignores later output of the command. */
  readonly close: (name: string) => void
}

export function liveLogs(names: readonly string[]): LiveLogs {
  const read = plainProgress(new Set(names))
  const files = new Map<string, string>()
  return {
    onOutput(piece) {
      const heard = new Map<string, string>()
      for (const { name, line } of read(piece)) {
        const file = files.get(name)
        if (file !== undefined) heard.set(file, `${heard.get(file) ?? ''}${line}\n`)
      }
      for (const [file, text] of heard) appendFileSync(file, text)
    },
    open(name, file) {
      writeFileSync(file, '')
      files.set(name, file)
    },
    close: (name) => void files.delete(name),
  }
}

/** The first line of an output that the engine has cut to its last 100 KiB (engineutil/ref.go). */
const CUT = /^\[omitting \d+ bytes\]\.\.\./

/**
 * How long to wait for the next late line, in milliseconds: the CLI prints the lines of one command after those of another,
 * and slowly on a busy machine.
 */
const LATE = 5000

/**
 * The complete output of a failed command: the last lines (`end`) come from the engine, the earlier lines from the live
 * log.
 */
export async function completeLog(live: string, end: string, timeout = LATE): Promise<string> {
  const text = end.replace(CUT, '')
  let [deadline, length] = [Date.now() + timeout, 0]
  while (text !== end) {
    const heard = readFileSync(live, 'utf8')
    if (heard.length > length) [deadline, length] = [Date.now() + timeout, heard.length]
    const at = heard.lastIndexOf(text.slice(0, 500))
    if (at !== -1) return `${heard.slice(0, at)}${text}\n`
    if (Date.now() > deadline) break
    await sleep(100)
  }
  return `${end}\n`
}
