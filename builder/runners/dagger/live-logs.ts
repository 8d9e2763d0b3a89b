import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { plainProgress } from './progress.ts'

/** Logs of commands that run in an engine, for whoever looks on meanwhile. */
export interface LiveLogs {
  /** Takes what the CLI says, piece by piece. */
  hear(piece: string): void
  /** Begins a log, with what a command of this name will say. */
  open(name: string, file: string): void
  /** What is heard of it from now on comes too late. */
  close(name: string): void
}

export function liveLogs(names: readonly string[]): LiveLogs {
  const read = plainProgress(new Set(names))
  const files = new Map<string, string>()
  return {
    hear(piece) {
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

/** How the engine begins what it has cut: it gives the last 100 KiB of a command that failed (engineutil/ref.go). */
const CUT = /^\[omitting \d+ bytes\]\.\.\./

/** How long (ms) the CLI may be behind with what it prints: it shows the lines of one command at a time. */
const BEHIND = 5000

/** All that a command said that failed: the end is the engine's, what came before is heard of the CLI. */
export async function wholeLog(live: string, end: string, patience = BEHIND): Promise<string> {
  const text = end.replace(CUT, '')
  const late = Date.now() + patience
  while (text !== end) {
    const heard = readFileSync(live, 'utf8')
    const at = heard.lastIndexOf(text.slice(0, 500))
    if (at !== -1) return `${heard.slice(0, at)}${text}\n`
    if (Date.now() > late) break
    await sleep(100)
  }
  return `${end}\n`
}
