import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempDirectory } from '../helpers/temp.ts'
import { LogWriter } from './log-writer.ts'
import { countEntries, entriesTouching, withoutFlush, withWriteLog } from './write-log.ts'

/** A write, a discard and a flush. */
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
  it('tells what was done in which order', async () => {
    const entries = withWriteLog(await smallLog(), ({ entries: all }) => all)
    expect(entries.map(({ number, kind, offset, length }) => [number, kind, offset, length])).toEqual([
      [0, 'write', 4096, 1024],
      [1, 'discard', 8192, 512],
      [2, 'flush', 0, 0],
      [3, 'write', 0, 512],
    ])
  })

  it('gives the bytes that were written', async () => {
    const out = Buffer.alloc(1024)
    withWriteLog(await smallLog(), ({ entries, read }) => read(entries[0]?.dataAt ?? 0, out))
    expect(out).toEqual(Buffer.alloc(1024, 'w'))
  })

  it('is read as far as it was counted', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(2n, 16)
    writeFileSync(path, bytes)
    expect(withWriteLog(path, ({ entries }) => entries.length)).toBe(2)
    expect(countEntries(path)).toBe(2)
  })

  it('ends before an entry that was counted and never written', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(9n, 16)
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(withWriteLog(path, ({ entries }) => entries.length)).toBe(4)
  })

  it('counts nothing before a machine has written', async () => {
    const path = join(await tempDirectory(), 'log')
    writeFileSync(path, '')
    expect(countEntries(path)).toBe(0)
  })

  it('is refused where it is something else, or holds what QEMU does not write', async () => {
    const path = await smallLog()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(2n, 512 + 16)
    writeFileSync(path, bytes)
    expect(() => withWriteLog(path, () => 0)).toThrow('entry 0 of the log has flags 2')
    writeFileSync(path, 'text')
    expect(() => withWriteLog(path, () => 0)).toThrow('is no log of writes')
  })

  it('finds the entries that touch a place', async () => {
    const path = await smallLog()
    const touching = (offset: number, length: number) =>
      withWriteLog(path, (log) => entriesTouching(log, offset, length).map(({ number }) => number))
    expect(touching(5119, 1)).toEqual([0])
    expect(touching(5120, 3072)).toEqual([])
    expect(touching(0, 9000)).toEqual([0, 1, 3])
  })

  it('loses a flush that is taken out, and nothing else', async () => {
    withWriteLog(await smallLog(), (log) => {
      expect(withoutFlush(log, 2).entries.map(({ kind }) => kind)).toEqual(['write', 'discard', 'nothing', 'write'])
      expect(() => withoutFlush(log, 3)).toThrow('entry 3 is no flush but write')
    })
  })
})
