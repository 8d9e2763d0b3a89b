import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A request to the disk, in the order of completion. */
export interface LogEntry {
  /** Index in the log, from 0. */
  readonly number: number
  /** `nothing` marks an entry that a test removed. */
  readonly kind: 'write' | 'discard' | 'flush' | 'nothing'
  /** The range of the disk in bytes. */
  readonly offset: number
  readonly length: number
  /** Offset of the written bytes in the file of the log. */
  readonly dataAt: number
}

export interface WriteLog {
  readonly entries: readonly LogEntry[]
  /** Fills `out` with bytes of the log's file, from offset `at` on. */
  readonly read: (at: number, out: Uint8Array) => void
}

// Format: linux/drivers/md/dm-log-writes.c, as QEMU's block/blklogwrites.c writes it. All numbers are little-endian.
const MAGIC = 0x6a736677736872n
const VERSION = 1n
const ENTRY_HEADER = 32
const FLUSH = 1n
const DISCARD = 4n

/** Opens a log while `use` runs. Reads its entries first, and its data on demand. */
export function withWriteLog<T>(path: string, use: (log: WriteLog) => T): T {
  const file = openSync(path, 'r')
  const read = (at: number, out: Uint8Array) => {
    for (let filled = 0; filled < out.length; ) {
      const count = readSync(file, out, filled, out.length - filled, at + filled)
      // QEMU does not write trailing zeros of the log, so the file can end before its last entry does.
      if (count === 0) return void out.fill(0, filled)
      filled += count
    }
  }
  try {
    return use({ entries: readEntries(path, read, fstatSync(file).size), read })
  } finally {
    closeSync(file)
  }
}

/** Count of entries of a log that may still grow. Marks a moment in the recording. */
export function countEntries(path: string): number {
  const file = openSync(path, 'r')
  const head = Buffer.alloc(ENTRY_HEADER)
  try {
    return readSync(file, head, 0, head.length, 0) < head.length ? 0 : Number(head.readBigUInt64LE(16))
  } finally {
    closeSync(file)
  }
}

/** The same log without some flushes, as of a program that omits them. */
export function withoutFlush(log: WriteLog, ...numbers: readonly number[]): WriteLog {
  for (const number of numbers) {
    const kind = log.entries[number]?.kind
    if (kind !== 'flush') throw new Error(`entry ${number} is ${kind ?? 'not in the log'}, wanted a flush`)
  }
  const taken = new Set(numbers)
  const entries = log.entries.map((entry) => (taken.has(entry.number) ? { ...entry, kind: 'nothing' as const } : entry))
  return { ...log, entries }
}

/** Writes and discards that touch a range of the disk. */
export function entriesTouching(log: WriteLog, offset: number, length: number): LogEntry[] {
  return log.entries.filter((entry) => changes(entry) && overlaps(entry, offset, length))
}

export function changes({ kind }: LogEntry): boolean {
  return kind === 'write' || kind === 'discard'
}

export function overlaps(entry: LogEntry, offset: number, length: number): boolean {
  return entry.offset < offset + length && offset < entry.offset + entry.length
}

function readEntries(path: string, read: WriteLog['read'], size: number): LogEntry[] {
  const head = Buffer.alloc(ENTRY_HEADER)
  read(0, head)
  if (head.readBigUInt64LE(0) !== MAGIC) throw new Error(`'${path}' is not a log of writes`)
  if (head.readBigUInt64LE(8) !== VERSION) throw new Error(`'${path}' has version ${head.readBigUInt64LE(8)}, wanted 1`)
  const [count, sector] = [Number(head.readBigUInt64LE(16)), head.readUInt32LE(24)]
  const entries: LogEntry[] = []
  for (let at = sector; entries.length < count && at < size; ) {
    read(at, head)
    const entry = parseEntry(head, entries.length, sector, at + sector)
    // The machine was killed before this entry was written, so the guest got no confirmation of it.
    if (entry.kind === 'write' && entry.length === 0) break
    entries.push(entry)
    at += sector + (entry.kind === 'write' ? entry.length : 0)
  }
  return entries
}

function parseEntry(head: Buffer, number: number, sector: number, dataAt: number): LogEntry {
  const flags = head.readBigUInt64LE(16)
  const kind = ({ 0: 'write', [String(FLUSH)]: 'flush', [String(DISCARD)]: 'discard' } as const)[String(flags)]
  if (kind === undefined) throw new Error(`entry ${number} of the log has flags ${flags}, which QEMU never writes`)
  const [offset, length] = [Number(head.readBigUInt64LE(0)) * sector, Number(head.readBigUInt64LE(8)) * sector]
  return { number, kind, offset, length, dataAt }
}
