import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempDirectory } from '../helpers/temp.ts'
import { LogWriter } from './log-writer.ts'
import { countEntries, entriesTouching, withoutFlush, withWriteLog } from './write-log.ts'

/** A log with a write, a discard and a flush. */
async function smallLog(): Promise<string> {
  const path = join(await tempDirectory(), 'log')
  const log = new LogWriter(path)
  log.write(4096, Buffer.alloc(1024, 'w'))
  log.discard(8192, 512)
  log.flush()
  log.write(0, Buffer.alloc(512, 'x'))
  log.close()
  return path
}

describe('a log of writes', () => {
  it('lists the entries of the log in order', async () => {
    const entries = withWriteLog(await smallLog(), ({ entries: all }) => all)
    expect(entries.map(({ number, kind, offset, length }) => [number, kind, offset, length])).toEqual([
      [0, 'write', 4096, 1024],
      [1, 'discard', 8192, 512],
      [2, 'flush', 0, 0],
      [3, 'write', 0, 512],
    ])
  })

  it('returns the written bytes of an entry', async () => {
    const out = Buffer.alloc(1024)
    withWriteLog(await smallLog(), ({ entries, read }) => read(entries[0]?.dataAt ?? 0, out))
    expect(out).toEqual(Buffer.alloc(1024, 'w'))
  })

  it('reads the log up to the count in its header', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(2n, 16)
    writeFileSync(path, bytes)
    expect(withWriteLog(path, ({ entries }) => entries.length)).toBe(2)
    expect(countEntries(path)).toBe(2)
  })

  it('the log ends before an entry that was counted but not written', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(9n, 16)
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(withWriteLog(path, ({ entries }) => entries.length)).toBe(4)
  })

  it('a log has no entries before the first write', async () => {
    const path = join(await tempDirectory(), 'log')
    writeFileSync(path, '')
    expect(countEntries(path)).toBe(0)
  })

  it('refuses a log if its format or its flags are unknown', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(2n, 512 + 16)
    writeFileSync(path, bytes)
    expect(() => withWriteLog(path, () => 0)).toThrow('entry 0 of the log has flags 2')
    writeFileSync(path, 'text')
    expect(() => withWriteLog(path, () => 0)).toThrow('is not a log of writes')
  })

  it('finds the log entries that touch a range', async () => {
    const path = await smallLog()
    const touching = (offset: number, length: number) =>
      withWriteLog(path, (log) => entriesTouching(log, offset, length).map(({ number }) => number))
    expect(touching(5119, 1)).toEqual([0])
    expect(touching(5120, 3072)).toEqual([])
    expect(touching(0, 9000)).toEqual([0, 1, 3])
  })

  it('a log without a flush keeps all other entries', async () => {
    withWriteLog(await smallLog(), (log) => {
      expect(withoutFlush(log, 2).entries.map(({ kind }) => kind)).toEqual(['write', 'discard', 'nothing', 'write'])
      expect(() => withoutFlush(log, 3)).toThrow('entry 3 is write, wanted a flush')
    })
  })
})
