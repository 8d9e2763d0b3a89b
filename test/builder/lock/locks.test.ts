import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { locksOf, readLocks, writeLock } from '../../../builder/lock/locks.ts'
import { DEBIAN_LOCK } from '../../../builder/sources/debian/lock-format.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { EMPTY_LOCK, type Lock, packageKey } from '../../../images/lock.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
import { lockedPackage } from '../../helpers/derivation.ts'
import { fakeSource, WORDS, type WordRequest } from '../../helpers/fake-source.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** The Debian lock file, in the top directory of a project. */
const FORMAT = { ...DEBIAN_LOCK, lockFile: 'debian.lock.json' }

const BASE: ArchitectureSet = {
  set: { name: 'base', request: ['bash'], essential: 'left-out', assumed: [] },
  architecture: 'arm64',
}
const BASH = lockedPackage('bash')
const LOCK: Lock = {
  ...EMPTY_LOCK,
  time: 42,
  sets: { 'base:arm64': { request: ['bash'], essential: 'left-out', assumed: [], packages: [packageKey(BASH)] } },
  packages: { [packageKey(BASH)]: BASH },
}

async function read(project: string) {
  return readLocks(project, [FORMAT], await openStore(await tempDirectory()))
}

describe('a lock file', () => {
  it('writes a lock file that reads back the same, and leaves no other file beside it', async () => {
    const project = await tempDirectory()
    await writeLock(project, FORMAT, EMPTY_LOCK)
    await writeLock(project, FORMAT, LOCK)
    expect((await read(project)).of(FORMAT)).toEqual(LOCK)
    expect(await readdir(project)).toEqual(['debian.lock.json'])
    expect(await readFile(join(project, 'debian.lock.json'), 'utf8')).toMatch(/\}\n$/)
  })

  it('reads a missing lock file as an empty lock', async () => {
    expect((await read(await tempDirectory())).of(FORMAT)).toEqual(EMPTY_LOCK)
  })

  it('refuses a lock file of an unknown format', async () => {
    const project = await tempDirectory()
    await writeFile(join(project, FORMAT.lockFile), '{"format":2}')
    const error = { code: 'format', message: expect.stringContaining('format 2') }
    await expect(read(project)).rejects.toMatchObject(error)
  })

  it('fails to write a lock file into a missing directory, with the reason', async () => {
    const project = join(await tempDirectory(), 'no-such-directory')
    await expect(writeLock(project, FORMAT, EMPTY_LOCK)).rejects.toThrow('ENOENT')
  })
})

describe('the locks of several sources', () => {
  const words = fakeSource(new Map())
  const [tree, bush] = (['tree', 'bush'] as const).map((word): WordRequest => ({ source: WORDS, word })) as [
    WordRequest,
    WordRequest,
  ]
  const locked = words.lockOf({ tree: 'a plant' })
  const locks = locksOf(
    [DEBIAN_LOCK, words],
    new Map<string, unknown>([
      ['debian', LOCK],
      [WORDS, locked],
    ]),
  )

  it('locks answer each request from the source that it names, and from Debian if it names none', () => {
    expect(locks.locked(BASE)).toEqual([BASH])
    expect(locks.locked(tree)?.map((file) => file.package)).toEqual(['tree'])
    expect(locks.locked(bush)).toBeUndefined()
    expect([locks.nameOf(BASE), locks.nameOf(tree)]).toEqual(['base:arm64', 'word tree'])
  })

  it('locks list every file, request and toolchain of all sources', () => {
    expect(locks.files.map((file) => file.package)).toEqual(['bash', 'tree'])
    expect(locks.names).toEqual(['base:arm64', 'word tree'])
    expect(locks.toolchains).toEqual([{ name: 'base', architecture: 'arm64', packages: [BASH] }])
  })

  it('locks return the newest time of all sources, and the texts of the non-empty locks', () => {
    expect(locks.time).toBe(Math.max(LOCK.time, words.time(locked)))
    expect(locks.text).toBe(DEBIAN_LOCK.text(LOCK) + words.text(locked))
    expect(locksOf([DEBIAN_LOCK, words], new Map([['debian', LOCK]])).text).toBe(DEBIAN_LOCK.text(LOCK))
  })

  it('locks refuse a source that does not exist', () => {
    expect(() => locks.locked({ source: 'gems' })).toThrow("no source 'gems', there are: debian, words")
  })
})
