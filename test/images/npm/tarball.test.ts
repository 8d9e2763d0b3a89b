import { describe, expect, it } from 'vitest'
import { packageFiles, TarballError } from '../../../images/npm/tarball.ts'
import { type TarEntry, tarBytes } from '../../../lib/tar.ts'
import { randomFrom } from '../../power-cut/random.ts'

const MANIFEST: TarEntry = { name: 'package/package.json', type: 'file', mode: 0o644, content: { text: '{}' } }

const file = (name: string, text = '', mode = 0o644): TarEntry => ({ name, type: 'file', mode, content: { text } })

async function filesOf(...entries: TarEntry[]) {
  return packageFiles(await tarBytes([MANIFEST, ...entries]))
}

const refused = async (message: string, ...entries: TarEntry[]) => {
  await expect(filesOf(...entries)).rejects.toThrow(new TarballError(message))
}

describe('the files of a package', () => {
  it('have paths without the first component, and are sorted', async () => {
    const found = await filesOf(file('package/lib/a.js', 'a'), file('other//./b.js', 'b'), {
      name: 'package/lib/',
      type: 'directory',
      mode: 0o700,
    })
    expect(found.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['b.js', 'b'],
      ['lib/a.js', 'a'],
      ['package.json', '{}'],
    ])
  })

  it('are executable if any user may execute them; other bits do not matter', async () => {
    const found = await filesOf(file('package/one', '', 0o700), file('package/other', '', 0o6666))
    expect(found.map(({ path, executable }) => [path, executable])).toEqual([
      ['one', true],
      ['other', false],
      ['package.json', false],
    ])
  })

  it('do not include links, as in npm', async () => {
    const link = (type: 'symlink' | 'link', linkname: string): TarEntry => ({
      name: `package/${type}`,
      type,
      mode: 0o777,
      linkname,
    })
    const found = await filesOf(link('symlink', '/etc/passwd'), link('link', 'package/package.json'))
    expect(found.map(({ path }) => path)).toEqual(['package.json'])
  })

  it('may have paths of more than 100 characters, names with any printable character, and the name of a property', async () => {
    const names = [`${'a/'.repeat(120)}end.js`, 'ü ☃ \\ $(id) `x`', '__proto__', 'constructor', '-rf']
    const found = await filesOf(...names.map((name) => file(`package/${name}`, name)))
    expect(found.map(({ path }) => path)).toEqual([...names, 'package.json'].sort())
  })

  it.each([
    ['package/../../etc/cron.d/x', "contains 'package/../../etc/cron.d/x', a path with '..'"],
    ['../package.json', "contains '../package.json', a path with '..'"],
    ['/etc/passwd', "contains '/etc/passwd', an absolute path"],
    ['package/a\nb', "contains 'package/a\\nb', a path with a control character or invalid UTF-8"],
    [`package/${'x'.repeat(256)}`, `contains 'package/${'x'.repeat(256)}', a name of more than 255 bytes`],
  ])('refuses the path %j', async (name, message) => {
    await refused(message, file(name))
  })

  it('refuses two files with one path, and a file that is also a directory', async () => {
    await refused("contains 'a.js' twice", file('package/a.js'), file('package/./a.js', 'other'))
    await refused("contains 'a' both as a file and as a directory", file('package/a'), file('package/a/b'))
  })

  it('refuses a tarball without package.json, and devices', async () => {
    expect(() => packageFiles(Buffer.alloc(1024))).toThrow("contains no 'package.json'")
    const device = await tarBytes([MANIFEST])
    device[156] = '3'.charCodeAt(0)
    expect(() => packageFiles(withChecksum(device))).toThrow('which is neither a file nor a directory')
  })

  it('refuses a wrong checksum, an invalid number and a truncated archive', async () => {
    const good = await tarBytes([MANIFEST, file('package/a', 'x'.repeat(600))])
    expect(() => packageFiles(good.subarray(0, 1024 + 700))).toThrow('ends in the middle of an entry')
    const changed = Buffer.from(good)
    changed[0] = 0x71
    expect(() => packageFiles(changed)).toThrow('has a header with a wrong checksum')
    const number = Buffer.from(good)
    number.write('zz', 124)
    expect(() => packageFiles(withChecksum(number))).toThrow('has a header with an invalid number')
  })

  it('reads a size and a path in a pax header', () => {
    const records = [record('size', '3'), record('path', 'package/lóng')].join('')
    const tar = Buffer.concat([
      block('x', 'pax', records),
      block('0', 'package/short', 'abc', 0),
      block('0', 'package/package.json', '{}'),
    ])
    expect(packageFiles(tar).map(({ path, bytes }) => [path, bytes.length])).toEqual([
      ['lóng', 3],
      ['package.json', 2],
    ])
  })

  it.each(['0 x=', '99 path=x\n', 'path=x\n', '7 size=\n'])('refuses the pax header %j', (records) => {
    expect(() => packageFiles(block('x', 'pax', records))).toThrow(TarballError)
  })

  it('never gives a path outside of the package, for any bytes of the archive', async () => {
    const random = randomFrom(7, 1)
    const good = Buffer.from(
      await tarBytes([MANIFEST, file('package/lib/a.js', 'a'), file(`package/${'deep/'.repeat(30)}b`)]),
    )
    const parts = ['..', '/', '\0', 'package', '\\', '.', '\u202e', 'path=', '%2e', String.fromCharCode(255)]
    for (let round = 0; round < 3000; round += 1) {
      const damaged = Buffer.from(good)
      for (let change = 0; change <= random() * 3; change += 1) {
        const at = Math.floor(random() * damaged.length)
        damaged.write(parts[Math.floor(random() * parts.length)] ?? '', at, 'latin1')
      }
      try {
        for (const { path } of packageFiles(withChecksums(damaged))) {
          expect(path.split('/').some((part) => part === '..' || part === '')).toBe(false)
          expect(path.startsWith('/')).toBe(false)
        }
      } catch (error) {
        if (!(error instanceof TarballError)) throw error
      }
    }
  })
})

function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  const length = [rest + 1, rest + 2, rest + 3].find((each) => String(each).length + rest === each) ?? 0
  return `${length} ${key}=${value}\n`
}

/** One entry with a header in the format of v7. */
function block(type: string, name: string, text: string, size = Buffer.byteLength(text)): Buffer {
  const content = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  content.write(text)
  const head = Buffer.alloc(512)
  head.write(name)
  head.write('0000644', 100)
  head.write(size.toString(8).padStart(11, '0'), 124)
  head.write(type, 156)
  return Buffer.concat([withChecksum(head), content])
}

function withChecksum(tar: Uint8Array): Buffer {
  const bytes = Buffer.from(tar)
  const head = bytes.subarray(0, 512)
  head.fill(' ', 148, 156)
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return bytes
}

/** Repairs the checksum of every block that was a header. */
function withChecksums(tar: Buffer): Buffer {
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    const head = tar.subarray(at, at + 512)
    if (head.toString('latin1', 257, 262) === 'ustar') withChecksum(head).copy(tar, at)
  }
  return tar
}
