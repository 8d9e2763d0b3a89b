import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BuildContext } from '../../../../builder/context.ts'
import { withLock } from '../../../../builder/lock/ensure.ts'
import { readLocks } from '../../../../builder/lock/locks.ts'
import { registriesOf } from '../../../../builder/sources/npm/registry.ts'
import { fetchFrom } from '../../../../builder/sources/registry.ts'
import type { Source } from '../../../../builder/sources/source.ts'
import { openStore } from '../../../../builder/store/directory.ts'
import type { LockedFile } from '../../../../images/locked-file.ts'
import { tarballPath } from '../../../../images/npm/name.ts'
import type { NpmPackage, NpmRequest } from '../../../../images/npm/npm-package.ts'
import { lockedPackage } from '../../../helpers/derivation.ts'
import { fakeApt } from '../../../helpers/fake-apt.ts'
import { packageLockText } from '../../../helpers/npm-lock.ts'
import { npmAt, npmRegistry, type TestNpmPackage } from '../../../helpers/npm-registry.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { NOW } from '../../../helpers/small-archive.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const FOLDER = 'overlays/services/test'
const LOCK = `${FOLDER}/package-lock.json`
const BESIDE: NpmRequest['beside'] = {
  set: { name: 'container/test', request: ['nodejs'], essential: 'left-out', assumed: [] },
  architecture: 'arm64',
}
const REQUEST: NpmRequest = { source: 'npm', folder: FOLDER, beside: BESIDE }

/** Debian's archive with one package: Node.js in this version. */
function debianWith(version: string): Source {
  const nodejs: LockedFile = lockedPackage('nodejs', { version })
  const stub = { name: 'debian', lockFile: 'debian.lock.json', empty: {}, parse: () => ({}), text: () => '{}\n' }
  return {
    ...{ ...stub, time: () => 1, nameOf: () => 'debian', names: () => [], locked: () => [nodejs], files: () => [] },
    ...{
      toolchains: () => [],
      resolve: async (_, current) => current,
      fetch: async () => undefined,
      inputs: () => ({}),
    },
    ...{ describe: () => ({ name: '', version: '', architecture: '', purl: '' }), compareVersions: () => 0 },
  }
}

/** A project with one service, and a registry with these packages. */
async function laboratory(packages: readonly TestNpmPackage[], manifest: object, node = '20.19.2+dfsg-1') {
  const [project, registry, reporter] = [await tempDirectory(), await npmRegistry(packages), listReporter()]
  const file = (name: string) => join(project, FOLDER, name)
  await mkdir(file('.'), { recursive: true })
  await writeFile(file('package.json'), JSON.stringify({ private: true, ...manifest }))
  const machine = async (given: Parameters<typeof npmAt>[2] = {}, url = registry.url): Promise<BuildContext> => {
    const store = await openStore(await tempDirectory())
    const sources = [debianWith(node), await npmAt(url, project, given)]
    return {
      ...{
        env: {},
        project,
        reporter,
        now: NOW,
        signal: new AbortController().signal,
        store,
        sources,
        builder: 'amd64',
      },
      ...{ fetch: fetchFrom(sources, { store, reporter }), runner: fakeApt(store), toolchain: BESIDE },
    }
  }
  const lockOn = (context: BuildContext, flag: 'frozen' | 'no-frozen' = 'no-frozen') =>
    withLock(context, [REQUEST], flag, async (locks) => (locks.locked(REQUEST) ?? []) as readonly NpmPackage[])
  return {
    ...{ project, registry, reporter, file, machine, lockOn },
    lock: async (flag?: 'frozen' | 'no-frozen') => lockOn(await machine(), flag),
  }
}

const names = (packages: readonly NpmPackage[]) => packages.map((each) => `${each.package}@${each.version}`)

describe('npm run lock', () => {
  it('writes a lock without any server, which another machine builds from without a change', async () => {
    const { lock, file, registry, reporter, project } = await laboratory(
      [{ name: 'app', fields: { dependencies: { '@lab/b': '1' }, bin: 'x.js' } }, { name: '@lab/b' }],
      { dependencies: { app: '^1.0.0' } },
    )
    const locked = await lock()
    expect(names(locked)).toEqual(['@lab/b@1.0.0', 'app@1.0.0'])
    expect(locked.map(({ use, bin }) => [use, bin])).toEqual([
      ['indirect', {}],
      ['direct', { app: 'x.js' }],
    ])
    const text = await readFile(file('package-lock.json'), 'utf8')
    expect(text).not.toMatch(/127\.0\.0\.1|resolved|http/)
    expect(JSON.parse(text)).toMatchObject({ lockfileVersion: 3 })
    expect(reporter.notices.join('\n')).toContain(`commit ${join(project, LOCK)}`)
    expect(await readdir(file('.'))).toEqual(['package-lock.json', 'package.json'])
    const before = registry.requests.length
    expect(await lock('frozen')).toEqual(locked)
    expect(registry.requests.slice(before).every((path) => path.endsWith('.tgz'))).toBe(true)
    expect(await readFile(file('package-lock.json'), 'utf8')).toBe(text)
  })

  it('fetches from the configured registry, and never from the server that a lock names', async () => {
    const { lockOn, machine, file, registry } = await laboratory([{ name: 'app' }], { dependencies: { app: '1' } })
    const integrity = await registry.publish({ name: 'app' })
    const resolved = `http://127.0.0.1:9/${tarballPath('app', '1.0.0')}`
    await writeFile(
      file('package-lock.json'),
      packageLockText({ dependencies: { app: '1' } }, { 'node_modules/app': { integrity, resolved } }),
    )
    const context = await machine()
    const locked = await lockOn(context, 'frozen')
    expect(locked.map(({ sha256 }) => context.store.has(sha256))).toEqual([true])
    expect(JSON.stringify(locked)).not.toContain('127.0.0.1')
  })

  it('refuses a frozen lock that is not for the present package.json', async () => {
    const { lock, file } = await laboratory([{ name: 'app' }, { name: 'b' }], { dependencies: { app: '1' } })
    await writeFile(file('package-lock.json'), packageLockText({ dependencies: { b: '1' } }, { 'node_modules/b': {} }))
    await expect(lock('frozen')).rejects.toMatchObject({
      code: 'frozen',
      message: expect.stringContaining(`npm:${FOLDER}`),
    })
    expect(names(await lock())).toEqual(['app@1.0.0'])
  })

  it('reports a tarball that the registry lacks, also for a lock of npm 6', async () => {
    const { lock, file, registry } = await laboratory([{ name: 'app' }], { dependencies: { app: '1' } })
    registry.files.delete(tarballPath('app', '1.0.0'))
    await writeFile(file('package-lock.json'), '{"lockfileVersion":1}')
    await expect(lock()).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringContaining("cannot fetch 'app@1.0.0' from the npm registry"),
    })
  })

  it('an offline build needs what an earlier build has learnt, and then nothing from the registry', async () => {
    const { lockOn, machine, registry } = await laboratory([{ name: 'app' }], { dependencies: { app: '1' } })
    const online = await machine()
    const locked = await lockOn(online)
    registry.files.clear()
    const offline = await machine({ network: 'offline' })
    await expect(lockOn(offline, 'frozen')).rejects.toMatchObject({
      message: expect.stringMatching(/does not know 'app@1.0.0'.*--offline forbids fetching/),
    })
    expect(await lockOn({ ...offline, store: online.store }, 'frozen')).toEqual(locked)
  })

  it('keeps the facts about tarballs that gc deleted', async () => {
    const { lockOn, machine, registry } = await laboratory([{ name: 'app' }], { dependencies: { app: '1' } })
    const context = await machine()
    const [app] = await lockOn(context)
    await rm(context.store.path(app?.sha256 ?? expect.fail('not locked')))
    const before = registry.requests.length
    expect(await lockOn(context, 'frozen')).toEqual([app])
    expect(registry.requests.length).toBe(before)
    expect((await readLocks(context.project, context.sources, context.store)).files).toEqual([app])
  })

  it('leaves out an optional package that needs a compiler, with all that only it needs, and says so', async () => {
    const { lock, reporter } = await laboratory(
      [
        { name: 'app', fields: { optionalDependencies: { native: '1' } } },
        { name: 'native', fields: { dependencies: { nan: '1' } }, files: { 'binding.gyp': '{}' } },
        { name: 'nan' },
      ],
      { dependencies: { app: '1' } },
    )
    expect(names(await lock())).toEqual(['app@1.0.0'])
    expect(reporter.notices).toContainEqual(
      `'${LOCK}': left out the optional package 'native@1.0.0', which has no native module for arm64: it needs a compiler`,
    )
  })

  it('refuses a required package that needs a compiler, before anything is written', async () => {
    const native = { name: 'native', fields: { scripts: { install: 'node-gyp rebuild' } } }
    const { lock, file } = await laboratory([native], { dependencies: { native: '1' } })
    await expect(lock()).rejects.toMatchObject({
      code: 'lock',
      message: `'${LOCK}': 'native@1.0.0' has no native module for arm64: it needs a compiler`,
      hint: expect.stringContaining('use a version or another package with a build for Linux on arm64'),
    })
    expect(existsSync(file('package-lock.json'))).toBe(false)
  })

  it("refuses a package of the service that excludes Debian's Node.js, and only reports the packages below it", async () => {
    const packages = [
      { name: 'app', fields: { engines: { node: '>=18' }, dependencies: { deep: '1' } } },
      { name: 'deep', fields: { engines: { node: '>=22' } } },
    ]
    const { lock, reporter } = await laboratory(packages, { dependencies: { app: '1' } })
    expect(names(await lock())).toEqual(['app@1.0.0', 'deep@1.0.0'])
    expect(reporter.notices).toContainEqual(
      expect.stringContaining("exclude Debian's Node.js 20.19.2: deep@1.0.0 (>=22)"),
    )
    const direct = await laboratory(packages, { dependencies: { deep: '1' } })
    await expect(direct.lock()).rejects.toMatchObject({
      message: `'${LOCK}': 'deep@1.0.0' needs Node.js '>=22', Debian's package has 20.19.2`,
    })
    expect(existsSync(direct.file('package-lock.json'))).toBe(false)
  })

  it('names install scripts that hangar does not run', async () => {
    const app = { name: 'app', fields: { scripts: { postinstall: 'node hello.js' } } }
    const { lock, reporter } = await laboratory([app], { dependencies: { app: '1' } })
    await lock()
    expect(reporter.notices).toContainEqual(`'${LOCK}': hangar does not run the install scripts of app`)
  })

  it.each([
    ['git', 'git+https://127.0.0.1/a.git'],
    ['a folder or file', 'file:../a'],
    ['a URL', 'http://127.0.0.1/a.tgz'],
  ])('refuses packages from %s before it runs npm', async (origin, range) => {
    const { lock } = await laboratory([], { dependencies: { a: range } })
    await expect(lock()).rejects.toMatchObject({
      message: `'${FOLDER}/package.json' takes 'a' from ${origin} ('${range}'), hangar fetches packages from npm registries only`,
    })
  })

  it('names a folder without package.json', async () => {
    const { lock, file } = await laboratory([], {})
    await rm(file('package.json'))
    await expect(lock()).rejects.toMatchObject({
      message: expect.stringContaining(`'${FOLDER}/package.json' does not exist`),
    })
  })

  it('names a package that the registry does not have, and a range without a version', async () => {
    const { lock, file } = await laboratory([{ name: 'app' }], { dependencies: { 'no-such-package': '1' } })
    await expect(lock()).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringMatching(/cannot resolve the packages of '.*package\.json': E404: .*no-such-package/),
      hint: expect.stringContaining('a registry has no list of names'),
    })
    await writeFile(file('package.json'), JSON.stringify({ dependencies: { app: '^7.0.0' } }))
    await expect(lock()).rejects.toMatchObject({
      message: expect.stringContaining('ETARGET'),
      hint: expect.stringContaining('versions'),
    })
  })

  it('names a registry that is down, or that answers with a web page', async () => {
    const { lockOn, machine, registry } = await laboratory([], { dependencies: { page: '1' } })
    const down = { registries: registriesOf({ registry: 'http://127.0.0.1:9/' }) }
    await expect(lockOn(await machine(down, 'http://127.0.0.1:9/'))).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: expect.stringContaining('npm config get registry'),
    })
    registry.files.set(
      'page',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
    )
    await expect(lockOn(await machine())).rejects.toMatchObject({
      code: expect.stringMatching(/fetch|lock/),
      hint: expect.stringContaining('npm config get registry'),
    })
  })

  it('a faulty lock of a service that the host does not run stops nothing', async () => {
    const { lock, project } = await laboratory([{ name: 'app' }], { dependencies: { app: '1' } })
    const other = join(project, 'overlays/services/other/package-lock.json')
    await mkdir(dirname(other))
    await writeFile(join(dirname(other), 'package.json'), '{}')
    await writeFile(other, 'damaged')
    expect(names(await lock())).toEqual(['app@1.0.0'])
    expect(await readFile(other, 'utf8')).toBe('damaged')
  })
})
