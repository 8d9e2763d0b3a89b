import { readdirSync, readFileSync } from 'node:fs'

/** Words of every command line on this machine. */
export function commandLines(): string[][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)]
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
}
