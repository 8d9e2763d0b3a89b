import { readdirSync, readFileSync } from 'node:fs'

/** The command line of every process on this machine, as a list of words. */
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
