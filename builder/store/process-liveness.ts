import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** A process as names of files in a store tell it: whoever shares the store can say whether it lives. */
export interface StoreProcess {
  readonly pid: number
  /** Clock ticks from the machine's start to its own: numbers of processes are used again. */
  readonly started: string
  /** In which its number is its name. */
  readonly namespace: string
  readonly boot: string
}

/** A name that no other file has, and that tells which process made it: `processIn` reads it. */
export function temporaryName(word: string): string {
  return `${word}-${thisProcess()}-${randomBytes(6).toString('hex')}`
}

/** This process as it stands in such a name. */
export function thisProcess(): string {
  return [process.pid, startOf('self') ?? '0', namespaceOf(), bootOf()].join('-')
}

const NAME = /-(\d+)-(\d+)-(\d+)-([0-9a-f]+)-[0-9a-f]{12}$/

/** Whose file it is by its name; undefined where that does not say so. */
export function processIn(name: string): StoreProcess | undefined {
  const [, pid, started, namespace, boot] = NAME.exec(name) ?? []
  if (started === undefined || namespace === undefined || boot === undefined) return undefined
  return { pid: Number(pid), started, namespace, boot }
}

/** A process of another namespace (a container) cannot be looked for: it is taken to live until the machine restarts. */
export function isAlive({ pid, started, namespace, boot }: StoreProcess): boolean {
  if (boot !== bootOf()) return false
  return namespace !== namespaceOf() || startOf(String(pid)) === started
}

/** proc(5): the 22nd field of `stat`; the second one, a program's name, may hold anything. */
function startOf(pid: string): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
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
