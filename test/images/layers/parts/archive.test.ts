import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { arMembers, readTars } from '../../../../images/layers/parts/archive.ts'
import { smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

describe('arMembers', () => {
  it('returns name and offset of each member of an archive', async () => {
    const deb = smallDeb(await tempDirectory(), { name: 'one', files: { 'usr/bin/one': 'odd' }, compression: 'gzip' })
    const members = arMembers(deb)
    expect(members.map(({ name }) => name)).toEqual(['debian-binary', 'control.tar.gz', 'data.tar.gz'])
    const bytes = readFileSync(deb)
    expect(bytes.toString('latin1', members[0]?.offset, (members[0]?.offset ?? 0) + 4)).toBe('2.0\n')
    for (const { offset } of members.slice(1)) expect(bytes.readUInt16BE(offset)).toBe(0x1f8b)
  })

  it('refuses a file that is not a package', async () => {
    const file = `${await tempDirectory()}/x.deb`
    writeFileSync(file, 'some text')
    expect(() => arMembers(file)).toThrow(`'${file}' is not a Debian package`)
  })
})

describe('readTars', () => {
  it('returns the files of each of several concatenated archives', async () => {
    const directory = await tempDirectory()
    const tars = [{ control: 'a\n', postinst: 'b' }, { control: '' }].map((files, index) => {
      const source = `${directory}/${index}`
      mkdirSync(source)
      for (const [name, text] of Object.entries(files)) writeFileSync(`${source}/${name}`, text)
      return execFileSync('tar', ['-c', '-C', source, '.'])
    })
    const read = readTars(Buffer.concat(tars)).map((files) =>
      Object.fromEntries([...files].map(([name, content]) => [name, content.toString()])),
    )
    expect(read).toEqual([{ control: 'a\n', postinst: 'b' }, { control: '' }])
  })
})
