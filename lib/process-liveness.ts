import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * A process, as file names and files describe it. Every process that shares them can check whether this process
 * still runs.
 */
export interface RecordedProcess {
  readonly pid: number
  /**
   * The start time of the process, in clock ticks since boot. The kernel reuses PIDs, but not with the same start time.
   */
  readonly started: string
  /** The PID namespace in which `pid` is valid. */
  readonly namespace: string
  /** The boot ID of the kernel, which is new at each boot. */
  readonly boot: string
}

/** A unique file name that begins with `word` and describes this process; `processIn` reads it. */
export function temporaryName(word: string): string {
  return `${word}-${thisProcess()}-${randomBytes(6).toString('hex')}`
}

/** The part of a file name that describes this process. */
export function thisProcess(): string {
  return [process.pid, startOf('self') ?? '0', namespaceOf(), bootOf()].join('-')
}

const NAME = /-(\d+)-(\d+)-(\d+)-([0-9a-f]+)-[0-9a-f]{12}$/

/** The process that a file name describes; undefined for a name of another form. */
export function processIn(name: string): RecordedProcess | undefined {
  const [, pid, started, namespace, boot] = NAME.exec(name) ?? []
  if (started === undefined || namespace === undefined || boot === undefined) return undefined
  return { pid: Number(pid), started, namespace, boot }
}

/**
 * Whether a process still runs. A process in another PID namespace (a container) is not visible, so it counts as
 * running until the next boot.
 */
export function isAlive({ pid, started, namespace, boot }: RecordedProcess): boolean {
  if (boot !== bootOf()) return false
  return namespace !== namespaceOf() || startOf(String(pid)) === started
}

/** States of a process that has ended: zombie, which its parent has not waited for, and dead (proc(5)). */
const ENDED: ReadonlySet<string | undefined> = new Set(['Z', 'X', 'x'])

/**
 * The start of a running process: field 22 of /proc/PID/stat, see proc(5). Field 3 is the state. Field 2, the name of the
 * program, may contain spaces and parentheses.
 */
function startOf(pid: string): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return ENDED.has(state) ? undefined : fields[18]
  } catch {
    return undefined
  }
}

function namespaceOf(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
}

function bootOf(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')
}
