import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cpioOf } from '../../../../images/layers/initramfs/cpio.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function smallTree(time: number): Promise<string> {
  const root = await tempDirectory()
  mkdirSync(`${root}/bin`)
  writeFileSync(`${root}/bin/tool`, 'hello', { mode: 0o755 })
  symlinkSync('tool', `${root}/bin/sh`)
  writeFileSync(`${root}/init`, '#!', { mode: 0o755 })
  utimesSync(`${root}/init`, time, time)
  return root
}

interface Member {
  readonly name: string
  readonly mode: number
  readonly data: string
}

/** Parses the `newc` format: thirteen numbers of eight hexadecimal digits; names and data are padded to four bytes. */
function membersOf(archive: Buffer): Member[] {
  const members: Member[] = []
  const padded = (at: number) => Math.ceil(at / 4) * 4
  for (let at = 0; at < archive.length; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701')
    const number = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16)
    const [mode, size, nameSize] = [number(1), number(6), number(11)]
    const data = padded(at + 110 + nameSize)
    members.push({
      name: archive.toString('utf8', at + 110, at + 110 + nameSize - 1),
      mode,
      data: archive.toString('utf8', data, data + size),
    })
    at = padded(data + size)
  }
  return members
}

describe('cpioOf', () => {
  it('the archive contains every path, parents first, and the trailer', async () => {
    expect(membersOf(cpioOf(await smallTree(1)))).toEqual([
      { name: '.', mode: expect.any(Number), data: '' },
      { name: 'bin', mode: 0o040755, data: '' },
      { name: 'bin/sh', mode: 0o120777, data: 'tool' },
      { name: 'bin/tool', mode: 0o100755, data: 'hello' },
      { name: 'init', mode: 0o100755, data: '#!' },
      { name: 'TRAILER!!!', mode: 0, data: '' },
    ])
  })

  it('the archive has the same bytes for the same tree with other times', async () => {
    expect(cpioOf(await smallTree(1)).equals(cpioOf(await smallTree(2)))).toBe(true)
  })
})
