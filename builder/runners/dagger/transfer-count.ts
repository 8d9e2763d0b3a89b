import { readFileSync } from 'node:fs'

/** Counts of the CLI since its start, in bytes. */
export interface Transferred {
  /** Everything that the CLI wrote: to its engine, to hangar and to disk. */
  readonly written: number
  /** The part of `written` that the kernel takes to a disk. */
  readonly toDisk: number
}

/** The kernel's counts for a process (proc_pid_io(5)); zero after its end. */
export function transferred(pid: number | undefined): Transferred {
  const text = pid === undefined ? '' : ioOf(pid)
  const count = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { written: count('wchar'), toDisk: Math.max(0, count('write_bytes') - count('cancelled_write_bytes')) }
}

/** Returns an empty text when the process has ended. */
function ioOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/io`, 'utf8')
  } catch {
    return ''
  }
}
