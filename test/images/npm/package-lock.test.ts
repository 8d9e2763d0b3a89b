import { describe, expect, it } from 'vitest'
import { UserError } from '../../../errors.ts'
import { currentLock } from '../../../images/npm/locked-packages.ts'
import { parseManifest } from '../../../images/npm/manifest.ts'
import { type PackageLock, parsePackageLock } from '../../../images/npm/package-lock.ts'
import { packageLockText, testIntegrity } from '../../helpers/npm-lock.ts'
import { oddString } from '../../helpers/odd-strings.ts'
import { userErrorOf } from '../../helpers/user-error.ts'
import { randomFrom } from '../../power-cut/random.ts'

const VALID = 'a'
const WHERE = 'overlays/services/test/package-lock.json'
const PATHS = { manifest: 'overlays/services/test/package.json', lock: WHERE }

const parse = (packages: Parameters<typeof packageLockText>[1]): PackageLock | undefined =>
  parsePackageLock(packageLockText({ dependencies: { a: '1' } }, packages), WHERE)

describe('parsePackageLock', () => {
  it('reads name, version, integrity and dependencies of each package', () => {
    const lock = parse({
      'node_modules/a': { dependencies: { b: '1' }, optionalDependencies: { c: '1' }, bin: { a: './bin/a.js' } },
      'node_modules/a/node_modules/@lab/b': { version: '2.0.0', license: 'MIT', engines: { node: '>=18' } },
    })
    expect(lock?.packages.get('node_modules/a')).toMatchObject({
      ...{ name: 'a', version: '1.0.0', required: ['b'], optional: ['c'], bin: { a: 'bin/a.js' } },
    })
    expect(lock?.packages.get('node_modules/a/node_modules/@lab/b')).toMatchObject({
      ...{
        name: '@lab/b',
        version: '2.0.0',
        license: 'MIT',
        node: '>=18',
        integrity: testIntegrity('node_modules/a/node_modules/@lab/b'),
      },
    })
  })

  it('leaves out packages that only development needs, from any place', () => {
    const lock = parse({
      'node_modules/a': {},
      'node_modules/b': { dev: true, resolved: 'git+ssh://git@example.org/b' },
    })
    expect([...(lock?.packages.keys() ?? [])]).toEqual(['node_modules/a'])
  })

  it('an alias has the name of the package that a registry has', () => {
    expect(parse({ 'node_modules/a': { name: '@lab/real' } })?.packages.get('node_modules/a')?.name).toBe('@lab/real')
  })

  it('ignores the server of an address, and the licence lists and engine lists of old packages', () => {
    const resolved = 'https://mirror.example.org:4873/npm/@lab%2fb/-/b-1.0.0.tgz'
    const lock = parse({ 'node_modules/@lab/b': { resolved, license: ['MIT'], engines: ['node >= 0.8'] } })
    expect(lock?.packages.get('node_modules/@lab/b')).toMatchObject({ license: undefined, node: undefined })
    expect(JSON.stringify([...(lock?.packages ?? [])])).not.toContain('example.org')
  })

  it('names of commands lose their directories, and commands outside of the package are left out', () => {
    const bin = { '../../evil': 'a.js', good: '/b.js', up: '../c.js', '.hidden': 'd.js', empty: '' }
    expect(parse({ 'node_modules/a': { bin } })?.packages.get('node_modules/a')?.bin).toEqual({
      evil: 'a.js',
      good: 'b.js',
    })
  })

  it.each([
    [{ resolved: 'git+ssh://git@github.com/x/a.git#0123' }, "takes 'a' from git"],
    [{ resolved: 'https://codeload.github.com/x/a/tar.gz/0123' }, "takes 'a' from a URL or a file"],
    [{ resolved: 'https://example.org/a-1.0.0.tgz' }, "takes 'a' from a URL or a file"],
    [{ resolved: 'file:../a.tgz' }, "takes 'a' from a URL or a file"],
    [{ resolved: '../a', link: true }, "takes 'a' from a folder"],
  ])('refuses a package that no registry has: %j', (fields, message) => {
    const error = userErrorOf(() => parse({ 'node_modules/a': fields }))
    expect(error.message).toContain(`'${WHERE}' ${message}`)
    expect(error.hint).toContain('publish the package to a registry')
  })

  it('refuses a package with a SHA-1 only, or without integrity', () => {
    const weak = userErrorOf(() => parse({ 'node_modules/a': { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' } }))
    expect(weak.message).toBe(
      `'${WHERE}' has only the integrity 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' for 'a@1.0.0', wanted a SHA-512`,
    )
    expect(userErrorOf(() => parse({ 'node_modules/a': { integrity: undefined } })).message).toContain(
      'has no integrity',
    )
  })

  it('takes the SHA-512 from a list of digests', () => {
    const integrity = `sha1-x ${testIntegrity('a')}?option`
    expect(parse({ 'node_modules/a': { integrity } })?.packages.get('node_modules/a')?.integrity).toBe(
      testIntegrity('a'),
    )
  })

  it('refuses two contents of one version', () => {
    const error = userErrorOf(() => parse({ 'node_modules/a': {}, 'node_modules/b/node_modules/a': {} }))
    expect(error.message).toContain("has two different integrities for 'a@1.0.0'")
  })

  it.each([
    'packages/a',
    'node_modules/../../etc',
    'node_modules/a/../b',
    '/node_modules/a',
    'node_modules/.bin',
    'node_modules/__proto__',
    'node_modules/a/node_modules/',
    'node_modules/node_modules',
  ])('refuses the location %j', (location) => {
    expect(userErrorOf(() => parse({ [location]: {} })).code).toBe('lock')
  })

  it.each(['1', '1.0', 'latest', '../1.0.0', '1.0.0/..'])('refuses the version %j', (version) => {
    expect(userErrorOf(() => parse({ 'node_modules/a': { version } })).message).toContain(
      `has version '${version}' of 'a'`,
    )
  })

  it('treats the formats of npm 6 as absent, and refuses unknown ones', () => {
    for (const lockfileVersion of [1, 2])
      expect(parsePackageLock(JSON.stringify({ lockfileVersion }), WHERE)).toBeUndefined()
    const newer = userErrorOf(() => parsePackageLock('{"lockfileVersion":4,"packages":{}}', WHERE))
    expect(newer.message).toBe(`'${WHERE}' has lockfileVersion 4, this hangar reads version 3`)
  })

  it('refuses a damaged file, and names the command that restores it', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"lockfileVersion":3}',
      '{"lockfileVersion":3,"packages":{}}',
      '<html>',
    ]) {
      const error = userErrorOf(() => parsePackageLock(text, WHERE))
      expect(error.message, text).toContain(`'${WHERE}'`)
      expect(error.hint).toContain(`git checkout ${WHERE}`)
    }
  })

  it('never accepts a location outside of node_modules, and throws nothing but UserError, for odd values', () => {
    const random = randomFrom(3, 1)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
    const values = () =>
      pick<unknown>([
        null,
        true,
        3,
        [],
        {},
        oddString(VALID, random),
        [oddString(VALID, random)],
        { [oddString(VALID, random)]: oddString(VALID, random) },
      ])
    const keys = [
      'name',
      'version',
      'resolved',
      'integrity',
      'bin',
      'os',
      'cpu',
      'engines',
      'license',
      'dependencies',
      'link',
      'inBundle',
      '__proto__',
    ]
    let accepted = 0
    for (let round = 0; round < 2000; round += 1) {
      const location = random() < 0.5 ? 'node_modules/a' : `node_modules/${oddString(VALID, random)}`
      try {
        const lock = parse({ [location]: random() < 0.2 ? {} : { [pick(keys)]: values() } })
        for (const each of lock?.packages.values() ?? []) {
          accepted += 1
          expect(each.location).toMatch(/^node_modules\/(@[\w.~-]+\/)?[\w.~-]+$/)
          for (const path of Object.values(each.bin)) expect(path.split('/')).not.toContain('..')
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }
    expect(accepted).toBeGreaterThan(100)
  })
})

describe('parseManifest', () => {
  it.each([
    ['git+https://example.org/a.git', 'git'],
    ['user/repository', 'git'],
    ['github:user/repository#main', 'git'],
    ['https://example.org/a.tgz', 'a URL'],
    ['file:../a', 'a folder or file'],
    ['link:../a', 'a folder or file'],
    ['../a', 'a folder or file'],
    ['workspace:*', 'a folder or file'],
  ])('refuses %j', (range, origin) => {
    const error = userErrorOf(() => parseManifest(JSON.stringify({ dependencies: { a: range } }), PATHS.manifest))
    expect(error.message).toContain(`'${PATHS.manifest}' takes 'a' from ${origin} ('${range}')`)
  })

  it.each(['^1.0.0', '>=1 <3', '*', '', 'latest', '1 - 2', 'npm:b@^1', 'npm:@lab/b@1.x'])('accepts %j', (range) => {
    expect(parseManifest(JSON.stringify({ dependencies: { a: range } }), PATHS.manifest).required).toEqual({ a: range })
  })

  it('accepts any place for packages of development', () => {
    expect(() => parseManifest(JSON.stringify({ devDependencies: { a: 'file:../a' } }), PATHS.manifest)).not.toThrow()
  })

  it('refuses workspaces, and a file that is not JSON', () => {
    expect(userErrorOf(() => parseManifest('{"workspaces":["a"]}', PATHS.manifest)).message).toContain(
      "has 'workspaces'",
    )
    expect(userErrorOf(() => parseManifest('{', PATHS.manifest)).message).toContain(`'${PATHS.manifest}' is not JSON`)
    expect(userErrorOf(() => parseManifest('{"dependencies":[1]}', PATHS.manifest)).message).toContain(
      "damaged at 'dependencies",
    )
  })
})

describe('currentLock', () => {
  const lock = packageLockText({ dependencies: { a: '1' }, devDependencies: { d: '1' } }, { 'node_modules/a': {} })
  const isCurrent = (manifest: object) => currentLock({ manifest: JSON.stringify(manifest), lock }, PATHS) !== undefined

  it('a lock is current if package.json names the same packages with the same ranges, in any order', () => {
    expect(isCurrent({ name: 'other', scripts: {}, devDependencies: { d: '1' }, dependencies: { a: '1' } })).toBe(true)
  })

  it.each([
    { dependencies: { a: '2' }, devDependencies: { d: '1' } },
    { dependencies: { a: '1', b: '1' }, devDependencies: { d: '1' } },
    { optionalDependencies: { a: '1' }, devDependencies: { d: '1' } },
    { dependencies: { a: '1' } },
    {},
  ])('a lock is out of date for %j', (manifest) => {
    expect(isCurrent(manifest)).toBe(false)
  })

  it('a folder without package-lock.json has no lock', () => {
    expect(currentLock({ manifest: '{}', lock: undefined }, PATHS)).toBeUndefined()
  })
})
