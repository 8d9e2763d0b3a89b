import { readdirSync, readFileSync } from 'node:fs'

export interface RunningProcess {
  readonly pid: number
  /** The command line as a list of words. */
  readonly command: readonly string[]
}

/** Every process on this machine. */
export function processes(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1) }]
      } catch {
        // The process has ended.
        return []
      }
    })
}

/** The command line of every process on this machine, as a list of words. */
export function commandLines(): (readonly string[])[] {
  return processes().map(({ command }) => command)
}
