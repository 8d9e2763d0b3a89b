import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { databaseName, packageName, parseFields, unpackDebs } from '../../../../images/layers/parts/deb.ts'
import { smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

describe('unpackDebs', () => {
  it('unpacks packages into one root, and returns the shipped paths and control files of each', async () => {
    const directory = await tempDirectory()
    const debs = [
      smallDeb(directory, {
        name: 'one',
        files: { 'usr/bin/one': '1' },
        control: { postinst: '#!/bin/sh\n' },
        compression: 'gzip',
      }),
      smallDeb(directory, { name: 'two', files: { 'usr/share/two\\x2d a': '2' } }),
      smallDeb(directory, { name: 'three', compression: 'gzip' }),
    ]
    const unpacked = await unpackDebs(debs, `${directory}/root`)
    expect(unpacked.map(packageName)).toEqual(['one', 'two', 'three'])
    expect(unpacked.map(({ files }) => files)).toEqual([
      ['/.', '/usr', '/usr/bin', '/usr/bin/one'],
      ['/.', '/usr', '/usr/share', '/usr/share/two\\x2d a'],
      ['/.'],
    ])
    expect([...(unpacked[0]?.control.keys() ?? [])]).toEqual(['control', 'postinst'])
    expect(unpacked[0]?.control.get('postinst')).toEqual(Buffer.from('#!/bin/sh\n'))
    expect(readFileSync(`${directory}/root/usr/bin/one`, 'utf8')).toBe('1')
    expect(readFileSync(`${directory}/root/usr/share/two\\x2d a`, 'utf8')).toBe('2')
  })

  it('creates the links of the merged /usr, and keeps them if a package ships such a directory', async () => {
    const directory = await tempDirectory()
    await unpackDebs([smallDeb(directory, { name: 'old', files: { 'lib/old': 'x' } })], `${directory}/root`)
    expect(readFileSync(`${directory}/root/usr/lib/old`, 'utf8')).toBe('x')
  })

  it('refuses two packages that ship the same file', async () => {
    const directory = await tempDirectory()
    const files = (name: string) => ({ 'etc/same': name, [`etc/${name}`]: name, 'usr/bin/same': name })
    const debs = ['one', 'two', 'three'].map((name) => smallDeb(directory, { name, files: files(name) }))
    await expect(unpackDebs(debs, `${directory}/root`)).rejects.toMatchObject({
      code: 'carry',
      message:
        "several of its packages ship the same file: '/etc/same' (one, two, three), '/usr/bin/same' (one, two, three)",
      hint: expect.stringContaining('request only one of one, two, three'),
    })
  })

  it('keeps the modes of existing directories when it unpacks over other packages', async () => {
    const directory = await tempDirectory()
    const [first = '', second = ''] = [0o700, 0o755].map((mode, index) =>
      smallDeb(directory, { name: `p${index}`, directories: { 'etc/private': mode } }),
    )
    await unpackDebs([first], `${directory}/root`)
    await unpackDebs([second], `${directory}/root`, { over: 'packages' })
    expect(statSync(`${directory}/root/etc/private`).mode & 0o7777).toBe(0o700)
  })

  it('gives a directory the mode of the first package that ships it', async () => {
    const directory = await tempDirectory()
    const debs = [0o711, 0o755, 0o700].map((mode, index) =>
      smallDeb(directory, { name: `p${index}`, directories: { 'etc/private': mode } }),
    )
    await unpackDebs(debs, `${directory}/root`)
    expect(statSync(`${directory}/root/etc/private`).mode & 0o7777).toBe(0o711)
  })

  it('refuses a truncated package', async () => {
    const directory = await tempDirectory()
    const deb = smallDeb(directory, { name: 'one', files: { 'usr/bin/one': 'x'.repeat(100_000) }, compression: 'gzip' })
    writeFileSync(deb, readFileSync(deb).subarray(0, -60))
    await expect(unpackDebs([deb], `${directory}/root`)).rejects.toThrow('failed')
  })
})

describe('parseFields', () => {
  it('keeps continuation lines of a field', () => {
    expect([...parseFields('Package: x\nDescription: short\n long\n .\n more\n')]).toEqual([
      ['Package', 'x'],
      ['Description', 'short\n long\n .\n more'],
    ])
  })

  it('gives a databaseName that has the architecture only for Multi-Arch: same', () => {
    const deb = (text: string) => ({ fields: parseFields(text), files: [], control: new Map() })
    expect(databaseName(deb('Package: libc6\nArchitecture: arm64\nMulti-Arch: same'))).toBe('libc6:arm64')
    expect(databaseName(deb('Package: dash\nArchitecture: arm64'))).toBe('dash')
  })
})
