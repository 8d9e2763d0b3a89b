import { readdirSync, readFileSync } from 'node:fs'

/** The words of every command line on this machine. */
export function commandLines(): string[][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)]
      } catch {
        // The process has ended.
        return []
      }
    })
}
