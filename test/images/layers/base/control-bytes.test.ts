import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { judgeContent } from '../../../../images/layers/base/carry.ts'
import { writeDatabase } from '../../../../images/layers/base/dpkg-database.ts'
import { parseFields, unpackDebs } from '../../../../images/layers/parts/deb.ts'
import { smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { type Random, randomFrom } from '../../../power-cut/random.ts'

const COUNT = 25

/** Control files that dpkg-deb does not parse, so that they can have any content. */
const FREE = ['postinst', 'prerm', 'config', 'templates', 'shlibs']

/** Bytes that no text decoder keeps: Latin-1 letters, halves of UTF-8 characters, a byte order mark, CR and NUL. */
const ODD = ['f6', 'c3', 'a0', '85', 'efbbbf', 'eda080', '0d0a', '00', 'ff', 'e280a8', 'c3b6'].map((hex) =>
  Buffer.from(hex, 'hex'),
)

function oddBytes(random: Random): Buffer {
  const below = (count: number) => Math.floor(random() * count)
  const pieces = Array.from({ length: 1 + below(30) }, () =>
    random() < 0.4 ? (ODD[below(ODD.length)] as Buffer) : Buffer.from([below(256)]),
  )
  return Buffer.concat(pieces)
}

function oddLine(random: Random): string {
  return oddBytes(random)
    .toString('latin1')
    .replace(/[\0\n\r]/g, '')
}

describe('a package with arbitrary bytes in its control files', () => {
  it('control files reach dpkg’s database with the same bytes', async () => {
    for (let place = 0; place < COUNT; place++) {
      const random = randomFrom(19, place)
      const control = Object.fromEntries(
        FREE.map((name) => [name, Buffer.concat([Buffer.from('#!/bin/sh\n'), oddBytes(random)])]),
      )
      const directory = await tempDirectory()
      const debs = await unpackDebs([smallDeb(directory, { name: 'odd', control })], `${directory}/root`)
      writeDatabase(`${directory}/root`, debs, 'installed', 'arm64')
      for (const [name, bytes] of Object.entries(control)) {
        expect(debs[0]?.control.get(name)).toEqual(bytes)
        expect(readFileSync(`${directory}/root/var/lib/dpkg/info/odd.${name}`)).toEqual(bytes)
      }
    }
  })

  it('fields and names of conffiles reach dpkg’s status file with the same bytes', async () => {
    const directory = await tempDirectory()
    const path = '/etc/Größe à.conf'
    const conffiles = { conffiles: `${path}\n` }
    const deb = smallDeb(directory, { name: 'odd', files: { [path.slice(1)]: 'x\n' }, control: conffiles })
    const [unpacked] = await unpackDebs([deb], `${directory}/root`)
    if (unpacked === undefined) return expect.fail('no package')
    const text = unpacked.control.get('control')?.toString('latin1').replace('Jane Doe', 'J\xf6rg \xa0') ?? ''
    const odd = { ...unpacked, control: new Map([...unpacked.control, ['control', Buffer.from(text, 'latin1')]]) }
    writeDatabase(`${directory}/root`, [odd], 'installed', 'arm64')
    const status = readFileSync(`${directory}/root/var/lib/dpkg/status`)
    expect(status.includes(Buffer.from('Maintainer: J\xf6rg \xa0 <', 'latin1'))).toBe(true)
    const md5 = execFileSync('md5sum', [`${directory}/root${path}`], { encoding: 'utf8' }).replace(/^\\?(\w+).*/s, '$1')
    expect(status.toString('utf8')).toContain(`\n ${path} ${md5}\n`)
  })

  it('parseFields gives every byte of a field back', () => {
    for (let place = 0; place < 500; place++) {
      const random = randomFrom(20, place)
      const fields = [`X${oddLine(random)}`, `Y${oddLine(random)}\n ${oddLine(random)}\n .`]
      const text = fields.map((value, at) => `Name-${at}: ${value}\n`).join('')
      expect([...parseFields(text).values()]).toEqual(fields)
    }
  })

  it('judgeContent changes only the library directory in text that is not UTF-8', () => {
    for (let place = 0; place < 500; place++) {
      const random = randomFrom(21, place)
      const [before, after] = [oddLine(random), oddLine(random)].map((text) => Buffer.from(text, 'latin1'))
      const around = (middle: string) =>
        Buffer.concat([before ?? Buffer.of(), Buffer.from(`/usr/lib/${middle}/`), after ?? Buffer.of()])
      const verdict = judgeContent(around('x86_64-linux-gnu'), 'amd64', 'arm64')
      expect(verdict).toEqual({ kind: 'rewritten', content: around('aarch64-linux-gnu') })
    }
  })

  it('refuses a file name that is not UTF-8, because the list of files would name another file', async () => {
    const directory = await tempDirectory()
    const deb = smallDeb(directory, { name: 'odd', files: { 'etc/name': 'x' }, compression: 'none' })
    const bytes = readFileSync(deb)
    const renamed = Buffer.from(bytes.toString('latin1').replace('./etc/name', './etc/n\xf6me'), 'latin1')
    const fixed = withTarSum(renamed, './etc/n\xf6me')
    writeFileSync(deb, fixed)
    await expect(unpackDebs([deb], `${directory}/root`)).rejects.toThrow(
      'a package ships a file whose name is not UTF-8',
    )
  })
})

/** Corrects the checksum of the tar header with this name. */
function withTarSum(archive: Buffer, name: string): Buffer {
  const at = archive.indexOf(Buffer.from(name, 'latin1'))
  const header = archive.subarray(at, at + 512)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return archive
}
