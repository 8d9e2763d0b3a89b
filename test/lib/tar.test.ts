import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type TarEntry, tarBytes, writeTar } from '../../lib/tar.ts'
import { readTar } from '../helpers/read-tar.ts'
import { tempDirectory } from '../helpers/temp.ts'

const ENTRIES: TarEntry[] = [
  { name: './etc/', type: 'directory', mode: 0o700 },
  { name: './etc/name', type: 'file', mode: 0o600, content: { text: 'tiny\n' } },
  { name: './link', type: 'symlink', mode: 0o777, linkname: 'etc/name' },
]

describe('tarBytes', () => {
  it('makes the same bytes as writeTar', async () => {
    const file = join(await tempDirectory(), 'a.tar')
    await writeTar(file, async (add) => {
      for (const entry of ENTRIES) await add(entry)
    })
    expect(readFileSync(file).equals(Buffer.from(await tarBytes(ENTRIES)))).toBe(true)
  })

  it('writes the tar entries in order, without owner or time of this machine', async () => {
    const entries = await readTar(await tarBytes(ENTRIES))
    expect(entries.map(({ header: { name, mode, uid, gid } }) => ({ name, mode, uid, gid }))).toEqual(
      ENTRIES.map(({ name, mode }) => ({ name, mode, uid: 0, gid: 0 })),
    )
    expect(entries.map(({ header }) => header.mtime?.getTime())).toEqual([0, 0, 0])
    expect(entries[1]?.bytes.toString()).toBe('tiny\n')
  })

  it('fails with the error of the entry that fails', async () => {
    const broken: TarEntry = { name: 'x', type: 'file', mode: 0o600, content: { file: '/not/there', size: 3 } }
    await expect(tarBytes([broken])).rejects.toThrow()
  })
})
