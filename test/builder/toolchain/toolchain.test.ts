import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { toolchainDirectory } from '../../../builder/toolchain/toolchain.ts'
import { verifyToolchains } from '../../../builder/toolchain/verify.ts'
import { walk } from '../../../images/layers/parts/walk.ts'
import { oddDirectory } from '../../helpers/odd-directory.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { smallToolchain } from '../../helpers/small-toolchain.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const DEBS = [
  { name: 'one', files: { 'usr/bin/one': 'one\n', 'usr/share/doc/one/copyright': 'long', 'usr/bin/mawk': 'awk\n' } },
  {
    name: 'two',
    files: { 'usr/bin/two': 'two\n', 'usr/share/man/man1/two.1': 'long' },
    directories: { 'usr/lib/two': 0o755 },
  },
]

async function unpacked() {
  const given = await smallToolchain(DEBS)
  const reporter = listReporter()
  const unpack = () => toolchainDirectory(given.toolchain, given.store, given.fetch, reporter)
  return {
    ...given,
    reporter,
    unpack,
    directory: await unpack(),
    verify: () => verifyToolchains(given.store, listReporter()),
  }
}

describe('toolchainDirectory', () => {
  it('unpacks packages onto a merged /usr, without documentation', async () => {
    const { directory } = await unpacked()
    expect(readFileSync(join(directory, 'bin/one'), 'utf8')).toBe('one\n')
    expect(readFileSync(join(directory, 'usr/bin/two'), 'utf8')).toBe('two\n')
    expect(readlinkSync(join(directory, 'usr/bin/awk'))).toBe('mawk')
    expect(lstatSync(join(directory, 'lib64')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(directory, 'usr/share/man/man1/two.1'))).toBe(false)
    expect(existsSync(join(directory, 'usr/share/doc/one/copyright'))).toBe(false)
  })

  it('creates no lib64 for arm64, because no arm64 program looks for its loader there', async () => {
    const { toolchain, store, fetch } = await smallToolchain(DEBS, 'arm64')
    const directory = await toolchainDirectory(toolchain, store, fetch, listReporter())
    expect(readlinkSync(join(directory, 'lib'))).toBe('usr/lib')
    expect(existsSync(join(directory, 'lib64'))).toBe(false)
  })

  it('unpacks the same modes and owners under every umask and in every directory', async () => {
    const usualMask = process.umask()
    onTestFinished(() => void process.umask(usualMask))
    const seenIn = async (root: string, mask = usualMask) => {
      const { toolchain, store, fetch } = await smallToolchain(DEBS, 'amd64', join(root, 'store'))
      process.umask(mask)
      const directory = await toolchainDirectory(toolchain, store, fetch, listReporter())
      process.umask(usualMask)
      return [...walk(directory)].map(([path, { kind, mode, uid, gid }]) =>
        kind === 'symlink' ? path : `${path} ${mode.toString(8)} ${uid}:${gid}`,
      )
    }
    const usual = await seenIn(await tempDirectory())
    expect(usual).toEqual(expect.arrayContaining(['/etc 755 0:0', '/etc/passwd 644 0:0', '/usr/bin 755 0:0']))
    expect(await seenIn(await tempDirectory(), 0o077)).toEqual(usual)
    expect(await seenIn(await oddDirectory(await tempDirectory()))).toEqual(usual)
  })

  it('unpacks a toolchain once', async () => {
    const { unpack, directory, fetched, reporter } = await unpacked()
    expect(await unpack()).toBe(directory)
    expect(fetched).toEqual(['one', 'two'])
    expect(reporter.ended).toEqual(["unpack toolchain 'small': built"])
  })

  it('keeps one directory when two builds unpack it at the same time', async () => {
    const { toolchain, store, fetch } = await smallToolchain(DEBS)
    const both = [1, 2].map(() => toolchainDirectory(toolchain, store, fetch, listReporter()))
    const [one, other] = await Promise.all(both)
    expect(one).toBe(other)
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([])
  })

  it('leaves no directory when a package cannot be unpacked, and names the package and the needed programs', async () => {
    const { toolchain, store } = await smallToolchain(DEBS)
    const sha256 = await store.putBytes('no package')
    const broken = { ...toolchain, packages: toolchain.packages.map((each) => ({ ...each, sha256 })) }
    const reporter = listReporter()
    const failing = toolchainDirectory(broken, store, async () => {}, reporter)
    await expect(failing).rejects.toMatchObject({
      code: 'sandbox',
      message: expect.stringContaining(sha256),
      hint: expect.stringContaining('dpkg-deb, tar and xargs'),
    })
    expect(existsSync(join(store.root, 'toolchains'))).toBe(false)
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([])
    expect(reporter.ended).toEqual(["unpack toolchain 'small': failed"])
  })
})

describe('verifyToolchains', () => {
  it('finds no difference in an untouched toolchain', async () => {
    const { verify, directory } = await unpacked()
    expect(await verify()).toEqual({ whole: 1, damaged: [] })
    expect(existsSync(directory)).toBe(true)
  })

  it('accepts a store without toolchains', async () => {
    const { store } = await smallToolchain([])
    expect(await verifyToolchains(store, listReporter())).toEqual({ whole: 0, damaged: [] })
  })

  it.each<[string, (file: string) => void, RegExp]>([
    ['with other bytes', (file) => writeFileSync(file, 'owe\n'), /: \.\/usr\/bin\/one: Contents differ$/],
    ['that is truncated', (file) => writeFileSync(file, ''), /: \.\/usr\/bin\/one: Size differs$/],
    ['with another mode', (file) => chmodSync(file, 0o600), /: \.\/usr\/bin\/one: Mode differs$/],
    ['that is gone', (file) => rmSync(file), /: tar: \.\/usr\/bin\/one: .*No such file or directory$/],
  ])(
    'names and removes a toolchain with a file %s, and the next build unpacks it again',
    async (_, damage, problem) => {
      const { verify, directory, unpack } = await unpacked()
      damage(join(directory, 'usr/bin/one'))
      const { whole, damaged } = await verify()
      expect(whole).toBe(0)
      expect(damaged).toEqual([expect.stringMatching(problem)])
      expect(existsSync(directory)).toBe(false)
      await unpack()
      expect(readFileSync(join(directory, 'usr/bin/one'), 'utf8')).toBe('one\n')
      expect(await verify()).toEqual({ whole: 1, damaged: [] })
    },
  )

  it('removes a toolchain whose list of packages is missing', async () => {
    const { verify, directory } = await unpacked()
    rmSync(`${directory}.packages`)
    expect((await verify()).damaged).toEqual([expect.stringContaining('the list of its packages is missing')])
    expect(existsSync(directory)).toBe(false)
  })
})
