import { describe, expect, it } from 'vitest'
import { changesBetween, changesText } from '../../../../../builder/lock/changes.ts'
import { fetchFrom } from '../../../../../builder/sources/registry.ts'
import type { LockMode } from '../../../../../builder/sources/source.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import { EMPTY_LOCK, type Lock, lockedPackages, lockText, parseLock } from '../../../../../images/lock.ts'
import type { ArchitectureSet } from '../../../../../images/package-set.ts'
import { debianAt } from '../../../../helpers/debian-at.ts'
import { fakeApt } from '../../../../helpers/fake-apt.ts'
import { fileServer } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { NOW, poolFile, signer, smallArchive, type TestPackage } from '../../../../helpers/small-archive.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const both = (item: TestPackage): TestPackage[] => [
  { ...item, architecture: 'amd64' },
  { ...item, architecture: 'arm64' },
]
const BEFORE = [
  ...both({ name: 'libc6', version: '2.41-1', fields: { Essential: 'yes' } }),
  ...both({ name: 'openssl', version: '3.5-1', fields: { Depends: 'libssl3 (= 3.5-1)' } }),
  ...both({ name: 'libssl3', version: '3.5-1' }),
  ...both({ name: 'apt', version: '3.0' }),
  ...both({ name: 'mosquitto', fields: { Depends: 'libssl3' } }),
  ...both({ name: 'jq' }),
]
/** The archive after an update of openssl: its indexes list no older version. */
const AFTER = [
  ...BEFORE.filter(({ name }) => !['openssl', 'libssl3', 'jq'].includes(name)),
  ...both({ name: 'openssl', version: '3.5-2', fields: { Depends: 'libssl3 (= 3.5-2)' } }),
  ...both({ name: 'libssl3', version: '3.5-2' }),
  ...both({ name: 'jq', version: '1.1' }),
]

function set(name: string, architecture: 'amd64' | 'arm64', ...request: string[]): ArchitectureSet {
  return { set: { name, request, essential: 'left-out', assumed: [] }, architecture }
}

const TOOLCHAIN = set('toolchain', 'amd64', 'apt')
const BASE = set('base', 'arm64', 'openssl')
const BROKER = set('container/mosquitto', 'arm64', 'mosquitto')
const QUERY = set('container/query', 'arm64', 'jq')

/** A machine with an empty store, and an archive whose content a test can change. */
async function laboratory(packages: readonly TestPackage[]) {
  const key = await signer()
  const server = await fileServer(await smallArchive(packages, { signer: key }))
  const store = await openStore(await tempDirectory())
  const reporter = listReporter()
  const apt = fakeApt(store)
  const debian = debianAt(server.url, key.publicKey)
  const fetch = fetchFrom([debian], { store, reporter })
  const context = { store, reporter, fetch, now: NOW, runner: apt, toolchain: TOOLCHAIN, locked: () => undefined }
  return {
    apt,
    reporter,
    server,
    lock: async (wanted: readonly ArchitectureSet[], current: Lock, mode: LockMode = { kind: 'missing' }) => {
      const lock = await debian.resolve(wanted, current, mode, context)
      return { lock, changes: changesBetween(debian, current, lock) }
    },
    serve: async (now: readonly TestPackage[], date = 'Mon, 01 Jun 2026 10:00:00 UTC', by = key) => {
      server.files.clear()
      for (const [path, content] of await smallArchive(now, { signer: by, date })) server.files.set(path, content)
    },
  }
}

function versions(lock: Lock, wanted: ArchitectureSet): string[] | undefined {
  return lockedPackages(lock, wanted)?.map((item) => `${item.package} ${item.version}`)
}

describe('lockSets', () => {
  it('resolves the toolchain without apt, and the other sets with apt', async () => {
    const { lock, apt } = await laboratory(BEFORE)
    const { lock: locked, changes } = await lock([BASE, BROKER], EMPTY_LOCK)
    expect(apt.ran).toEqual(['solve/base:arm64', 'solve/container/mosquitto:arm64'])
    expect(versions(locked, BASE)).toEqual(['libssl3 3.5-1', 'openssl 3.5-1'])
    expect(versions(locked, BROKER)).toEqual(['libssl3 3.5-1', 'mosquitto 1.0-1'])
    expect(versions(locked, TOOLCHAIN)).toEqual(['apt 3.0'])
    expect(changes.map((change) => `${change.package} ${change.architecture}`)).toEqual([
      'apt amd64',
      'libssl3 arm64',
      'mosquitto arm64',
      'openssl arm64',
    ])
  })

  it('locks the path and digest of each file and the dates of the releases', async () => {
    const { lock } = await laboratory(BEFORE)
    const { lock: locked } = await lock([BASE], EMPTY_LOCK)
    const item = BEFORE.find(({ name, architecture }) => name === 'openssl' && architecture === 'arm64')
    expect(locked.packages['openssl_3.5-1_arm64']).toEqual({
      archive: 'debian',
      suite: 'trixie',
      package: 'openssl',
      version: '3.5-1',
      architecture: 'arm64',
      ...poolFile(item ?? expect.fail('no openssl')),
    })
    expect(locked.time).toBe(Date.parse('2026-06-01T08:00:00Z') / 1000)
    expect(Object.keys(locked.releases)).toHaveLength(4)
    expect(parseLock(lockText(locked), 'lock')).toEqual(locked)
  })

  it('writes no server into the lock', async () => {
    const { lock, server } = await laboratory(BEFORE)
    const text = lockText((await lock([BASE], EMPTY_LOCK)).lock)
    expect([text.includes('http'), text.includes(new URL(server.url).host)]).toEqual([false, false])
  })

  it('sends no request when the lock contains every set', async () => {
    const { lock, server } = await laboratory(BEFORE)
    const { lock: locked } = await lock([BASE, BROKER], EMPTY_LOCK)
    server.requests.length = 0
    const again = await lock([BROKER, BASE], locked)
    expect([again.lock, again.changes, server.requests]).toEqual([locked, [], []])
  })

  it('resolves a new set, and keeps the other sets', async () => {
    const { lock, apt } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE], EMPTY_LOCK)
    apt.ran.length = 0
    const { lock: second, changes } = await lock([BASE, QUERY], first)
    expect(apt.ran).toEqual(['solve/container/query:arm64'])
    expect(changesText(changes)).toBe('jq  arm64  new 1.0-1\n')
    expect(second.sets['base:arm64']).toEqual(first.sets['base:arm64'])
  })

  it('keeps the locked versions while the archive has them', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE], EMPTY_LOCK)
    const security = both({ name: 'libssl3', version: '3.5-9', suite: 'trixie-security' })
    await serve([...BEFORE, ...security])
    const { lock: second } = await lock([BASE, BROKER], first)
    expect(versions(second, BROKER)).toEqual(['libssl3 3.5-1', 'mosquitto 1.0-1'])
  })

  it('moves a locked version when a new set needs another version', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE], EMPTY_LOCK)
    await serve([
      ...BEFORE,
      ...both({
        name: 'openssl',
        version: '3.5-9',
        suite: 'trixie-security',
        fields: { Depends: 'libssl3 (= 3.5-9)' },
      }),
      ...both({ name: 'libssl3', version: '3.5-9', suite: 'trixie-security' }),
      ...both({ name: 'curl', fields: { Depends: 'libssl3 (>= 3.5-9)' } }),
    ])
    const { lock: second } = await lock([BASE, set('tools', 'arm64', 'curl')], first)
    expect(versions(second, set('tools', 'arm64', 'curl'))).toEqual(['curl 1.0-1', 'libssl3 3.5-9'])
    expect(versions(second, BASE)).toEqual(['libssl3 3.5-9', 'openssl 3.5-9'])
  })

  it('moves every set that shares a moved package', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE, QUERY], EMPTY_LOCK)
    await serve(AFTER)
    const { lock: second, changes } = await lock([BASE, QUERY, BROKER], first)
    expect(versions(second, BASE)).toEqual(['libssl3 3.5-2', 'openssl 3.5-2'])
    expect(versions(second, QUERY)).toEqual(['jq 1.0-1'])
    expect(changesText(changes)).toBe(
      'libssl3    arm64  3.5-1 -> 3.5-2\nmosquitto  arm64  new 1.0-1\nopenssl    arm64  3.5-1 -> 3.5-2\n',
    )
  })

  it('moves a set on both architectures when one of them has to move', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const native = set('base', 'amd64', 'openssl')
    const { lock: first } = await lock([BASE, native], EMPTY_LOCK)
    await serve(AFTER)
    const { lock: second } = await lock([BASE, native, BROKER], first)
    expect(versions(second, BASE)).toEqual(['libssl3 3.5-2', 'openssl 3.5-2'])
    expect(versions(second, native)).toEqual(['libssl3 3.5-2', 'openssl 3.5-2'])
  })

  it('keeps a set if the archive has not yet built the newer version for its architecture', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const native = set('base', 'amd64', 'openssl')
    const { lock: first } = await lock([BASE, native], EMPTY_LOCK)
    const of = (architecture: string) => (item: TestPackage) => item.architecture === architecture
    await serve([...BEFORE.filter(of('amd64')), ...AFTER.filter(of('arm64'))])
    const { lock: second } = await lock([BASE, native, BROKER], first)
    expect(versions(second, BASE)).toEqual(['libssl3 3.5-2', 'openssl 3.5-2'])
    expect(versions(second, native)).toEqual(['libssl3 3.5-1', 'openssl 3.5-1'])
  })

  it('keeps the sets of other hosts', async () => {
    const { lock } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE], EMPTY_LOCK)
    const { lock: second } = await lock([QUERY], first)
    expect(Object.keys(second.sets).sort()).toEqual(['base:arm64', 'container/query:arm64', 'toolchain:amd64'])
  })

  it('names a set without a solution, and the reason', async () => {
    const { lock } = await laboratory([...BEFORE, { name: 'impossible' }])
    await expect(lock([set('odd', 'arm64', 'impossible')], EMPTY_LOCK)).rejects.toMatchObject({
      code: 'lock',
      message: "package set 'odd' cannot be installed on arm64:\n  E: impossible conflicts with itself",
    })
  })

  it('refuses an archive that an unknown key has signed', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    await serve(BEFORE, undefined, await signer())
    await expect(lock([BASE], EMPTY_LOCK)).rejects.toMatchObject({ code: 'signature' })
  })

  it('refuses an archive that is older than the lock', async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE], EMPTY_LOCK)
    await serve(BEFORE, 'Mon, 01 Jun 2026 07:00:00 UTC')
    await expect(lock([BASE, QUERY], first)).rejects.toThrow("older than the lock's")
  })
})

describe('two sets that need different versions', () => {
  it('two sets that need different versions both get the newer version', async () => {
    const { lock } = await laboratory([
      ...BEFORE,
      { name: 'kernel', version: '7', suite: 'trixie-backports', fields: { Depends: 'libssl3 (>= 4)' } },
      { name: 'libssl3', version: '4', suite: 'trixie-backports' },
    ])
    const kernel = set('kernel', 'arm64', 'kernel/trixie-backports')
    const { lock: locked } = await lock([BROKER, kernel], EMPTY_LOCK)
    expect(versions(locked, kernel)).toEqual(['kernel 7', 'libssl3 4'])
    expect(versions(locked, BROKER)).toEqual(['libssl3 4', 'mosquitto 1.0-1'])
  })

  it('refuses two sets if no version fits both', async () => {
    const { lock } = await laboratory([
      ...BEFORE,
      { name: 'kernel', version: '7', suite: 'trixie-backports', fields: { Depends: 'libssl3 (>= 4)' } },
      { name: 'libssl3', version: '4', suite: 'trixie-backports' },
    ])
    const wanted = [BASE, set('kernel', 'arm64', 'kernel/trixie-backports')]
    await expect(lock(wanted, EMPTY_LOCK)).rejects.toMatchObject({
      code: 'lock',
      message: expect.stringContaining("'base'"),
    })
  })
})

describe('the mode update', () => {
  it("mode 'update' moves every package to its newest version", async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE, QUERY], EMPTY_LOCK)
    await serve(AFTER)
    const { lock: second, changes } = await lock([BASE, QUERY], first, { kind: 'update' })
    expect(changesText(changes)).toBe(
      'jq       arm64  1.0-1 -> 1.1\nlibssl3  arm64  3.5-1 -> 3.5-2\nopenssl  arm64  3.5-1 -> 3.5-2\n',
    )
    expect(second.time).toBe(Date.parse('2026-06-01T10:00:00Z') / 1000)
  })

  it("mode 'update' drops sets that the project no longer requests", async () => {
    const { lock } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE, QUERY], EMPTY_LOCK)
    const { lock: second, changes } = await lock([BASE], first, { kind: 'update' })
    expect(Object.keys(second.sets).sort()).toEqual(['base:arm64', 'toolchain:amd64'])
    expect(changesText(changes)).toBe('jq  arm64  1.0-1 dropped\n')
  })
})

describe('the mode gone', () => {
  it("mode 'gone' updates only packages that the archive deleted, and packages that depend on their versions", async () => {
    const { lock, serve } = await laboratory(BEFORE)
    const { lock: first } = await lock([BASE, QUERY], EMPTY_LOCK)
    await serve(AFTER)
    const gone = [first.packages['openssl_3.5-1_arm64'] ?? expect.fail('no openssl')]
    const { lock: second, changes } = await lock([BASE, QUERY], first, { kind: 'gone', gone })
    expect(changesText(changes)).toBe('libssl3  arm64  3.5-1 -> 3.5-2\nopenssl  arm64  3.5-1 -> 3.5-2\n')
    expect(versions(second, QUERY)).toEqual(['jq 1.0-1'])
  })

  it("mode 'gone' resolves the toolchain without apt when the archive deleted its packages", async () => {
    const { lock: first } = await (await laboratory(BEFORE)).lock([BASE], EMPTY_LOCK)
    // A second machine, whose store lacks the old packages.
    const another = await laboratory([
      ...BEFORE.filter(({ name }) => name !== 'apt'),
      ...both({ name: 'apt', version: '3.1' }),
    ])
    const gone = [first.packages['apt_3.0_amd64'] ?? expect.fail('no apt')]
    const { lock: second, changes } = await another.lock([BASE], first, { kind: 'gone', gone })
    expect(changesText(changes)).toBe('apt  amd64  3.0 -> 3.1\n')
    expect(versions(second, TOOLCHAIN)).toEqual(['apt 3.1'])
    expect(another.reporter.warnings).toEqual([
      'no mirror has 1 packages of the toolchain any more: resolving the toolchain again',
    ])
  })
})
