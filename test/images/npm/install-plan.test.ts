import { describe, expect, it } from 'vitest'
import { UserError } from '../../../errors.ts'
import { type InstallPlan, installPlan } from '../../../images/npm/install-plan.ts'
import { parsePackageLock } from '../../../images/npm/package-lock.ts'
import type { TarballFacts } from '../../../images/npm/tarball-facts.ts'
import { packageLockText, plainFacts, testIntegrity } from '../../helpers/npm-lock.ts'
import { userErrorOf } from '../../helpers/user-error.ts'
import { randomFrom } from '../../power-cut/random.ts'

const WHERE = 'overlays/services/test/package-lock.json'

type Packages = Parameters<typeof packageLockText>[1]

/** The plan for a lock whose tarballs have these facts; a location without facts has those of plain JavaScript. */
function plan(
  root: Readonly<Record<string, unknown>>,
  packages: Packages,
  facts: Readonly<Record<string, Partial<TarballFacts> | undefined>> = {},
): InstallPlan {
  const lock = parsePackageLock(packageLockText(root, packages), WHERE)
  if (lock === undefined) throw new Error('no lock')
  const given = new Map(
    Object.entries(packages).flatMap(([location, { integrity = testIntegrity(location) }]) =>
      location in facts && facts[location] === undefined ? [] : [[integrity, plainFacts(facts[location])] as const],
    ),
  )
  return installPlan(lock, (integrity) => given.get(integrity), WHERE)
}

const locations = ({ unpacked }: InstallPlan) => unpacked.map(({ location }) => location)

const ROOT = { dependencies: { app: '1' } }
const DARWIN = { os: ['darwin'], optional: true }
const build = (os: string, cpu: string, libc?: string) => ({
  os: [os],
  cpu: [cpu],
  ...(libc && { libc: [libc] }),
  optional: true,
})

/** A package with builds as optional packages, as napi-rs makes them. */
const BCRYPT: Packages = {
  'node_modules/app': { optionalDependencies: { '@lab/bcrypt': '1' } },
  'node_modules/@lab/bcrypt': {
    optional: true,
    optionalDependencies: {
      ...{ '@lab/bcrypt-linux-arm64-gnu': '1', '@lab/bcrypt-linux-arm64-musl': '1', '@lab/bcrypt-linux-x64-gnu': '1' },
      '@lab/bcrypt-darwin-arm64': '1',
    },
  },
  'node_modules/@lab/bcrypt-linux-arm64-gnu': build('linux', 'arm64', 'glibc'),
  'node_modules/@lab/bcrypt-linux-arm64-musl': build('linux', 'arm64', 'musl'),
  'node_modules/@lab/bcrypt-linux-x64-gnu': build('linux', 'x64', 'glibc'),
  'node_modules/@lab/bcrypt-darwin-arm64': build('darwin', 'arm64'),
}

function without(packages: Packages, ...names: string[]): Packages {
  return Object.fromEntries(Object.entries(packages).filter(([location]) => !names.includes(location)))
}

describe('installPlan', () => {
  it('unpacks all that the service needs, at its place, and nothing else', () => {
    const found = plan(ROOT, {
      'node_modules/app': { dependencies: { shared: '1' } },
      'node_modules/app/node_modules/shared': { version: '2.0.0' },
      'node_modules/shared': {},
      'node_modules/unused': {},
    })
    expect(locations(found)).toEqual(['node_modules/app', 'node_modules/app/node_modules/shared'])
  })

  it('follows circles, and peers that the lock has', () => {
    const found = plan(ROOT, {
      'node_modules/app': { dependencies: { a: '1' }, peerDependencies: { peer: '1', absent: '1' } },
      'node_modules/a': { dependencies: { app: '1' } },
      'node_modules/peer': {},
    })
    expect(locations(found)).toEqual(['node_modules/a', 'node_modules/app', 'node_modules/peer'])
  })

  it('leaves out optional packages for other systems, with all that only they need', () => {
    const found = plan(ROOT, {
      'node_modules/app': { optionalDependencies: { fsevents: '1', deep: '1' } },
      'node_modules/fsevents': { ...DARWIN, dependencies: { nan: '1' } },
      'node_modules/nan': { optional: true },
      'node_modules/deep': { optional: true, dependencies: { middle: '1' } },
      'node_modules/middle': { optional: true, dependencies: { fsevents: '1' } },
    })
    expect(locations(found)).toEqual(['node_modules/app'])
    expect(found.leftOut).toEqual([])
  })

  it('takes the build for Linux on arm64 with glibc from optional packages', () => {
    const found = plan(ROOT, BCRYPT)
    expect(locations(found)).toEqual([
      'node_modules/@lab/bcrypt',
      'node_modules/@lab/bcrypt-linux-arm64-gnu',
      'node_modules/app',
    ])
  })

  it('finds the C library of a build in its tarball if the lock lacks it, as locks of npm 10 do', () => {
    const packages = Object.fromEntries(Object.entries(BCRYPT).map(([at, { libc: _, ...rest }]) => [at, rest]))
    const unknown = plan(ROOT, packages, { 'node_modules/@lab/bcrypt-linux-arm64-musl': undefined })
    expect(unknown.unknown.map(({ name }) => name)).toEqual(['@lab/bcrypt-linux-arm64-musl'])
    const found = plan(ROOT, packages, { 'node_modules/@lab/bcrypt-linux-arm64-musl': { libc: ['musl'] } })
    expect(locations(found)).not.toContain('node_modules/@lab/bcrypt-linux-arm64-musl')
    expect(locations(found)).toContain('node_modules/@lab/bcrypt-linux-arm64-gnu')
  })

  it('refuses a required package with builds for other processors only', () => {
    const packages = without(BCRYPT, 'node_modules/@lab/bcrypt-linux-arm64-gnu')
    const required = { ...packages, 'node_modules/app': { dependencies: { '@lab/bcrypt': '1' } } }
    const bcrypt = {
      ...packages['node_modules/@lab/bcrypt'],
      optionalDependencies: { '@lab/bcrypt-linux-x64-gnu': '1' },
    }
    const error = userErrorOf(() => plan(ROOT, { ...required, 'node_modules/@lab/bcrypt': bcrypt }))
    expect(error.message).toBe(
      `'${WHERE}': 'app@1.0.0' needs '@lab/bcrypt', which has builds for other processors only (@lab/bcrypt-linux-x64-gnu)`,
    )
    expect(error.hint).toContain("replace it in 'overrides' of package.json")
  })

  it('refuses a lock that lacks the build for arm64, a fault of older npm versions', () => {
    const packages = {
      ...without(BCRYPT, 'node_modules/@lab/bcrypt-linux-arm64-gnu'),
      'node_modules/app': { dependencies: { '@lab/bcrypt': '1' } },
    }
    const error = userErrorOf(() => plan(ROOT, packages))
    expect(error.message).toContain("needs '@lab/bcrypt-linux-arm64-gnu', which package-lock.json lacks")
    expect(error.hint).toContain('npm run lock -- --update')
  })

  it('refuses a required package for another system', () => {
    const error = userErrorOf(() => plan(ROOT, { 'node_modules/app': { os: ['!linux'] } }))
    expect(error.message).toBe(`'${WHERE}': 'app@1.0.0' does not support Linux on arm64 with glibc`)
  })

  it('refuses a required package that needs a compiler, and names the packages that need it', () => {
    const packages = {
      'node_modules/app': { dependencies: { middle: '1' } },
      'node_modules/middle': { dependencies: { native: '1' } },
      'node_modules/native': {},
    }
    const error = userErrorOf(() => plan(ROOT, packages, { 'node_modules/native': { build: 'compiler' } }))
    expect(error.message).toContain(
      "'app@1.0.0' needs 'middle', which needs 'native', which has no native module for arm64: it needs a compiler",
    )
    expect(error.hint).toContain('hangar runs no compiler and no install script')
  })

  it('refuses a required package with native modules for other processors only', () => {
    const error = userErrorOf(() =>
      plan(ROOT, { 'node_modules/app': {} }, { 'node_modules/app': { modules: 'foreign' } }),
    )
    expect(error.message).toContain("'app@1.0.0' has native modules for other processors only")
  })

  it('leaves out an optional package that needs a compiler, and says so', () => {
    const packages = {
      'node_modules/app': { optionalDependencies: { native: '1' } },
      'node_modules/native': { dependencies: { nan: '1' } },
      'node_modules/nan': {},
    }
    const found = plan(ROOT, packages, { 'node_modules/native': { build: 'compiler' } })
    expect(locations(found)).toEqual(['node_modules/app'])
    expect(found.leftOut).toMatchObject([{ package: { name: 'native' }, why: expect.stringContaining('compiler') }])
  })

  it('unpacks a package with a usable module in its tarball, even if its install script compiles', () => {
    const found = plan(
      ROOT,
      { 'node_modules/app': {} },
      { 'node_modules/app': { modules: 'usable', build: 'compiler' } },
    )
    expect(locations(found)).toEqual(['node_modules/app'])
  })

  it('lists packages inside tarballs, at any depth, and unpacks nothing for them', () => {
    const found = plan(ROOT, {
      'node_modules/app': { dependencies: { inside: '1' } },
      'node_modules/app/node_modules/inside': { inBundle: true, integrity: undefined },
      'node_modules/app/node_modules/inside/node_modules/deep': { inBundle: true, integrity: undefined },
      'node_modules/other/node_modules/inside': { inBundle: true, integrity: undefined },
      'node_modules/other': {},
    })
    expect(locations(found)).toEqual(['node_modules/app'])
    expect(found.bundled.map(({ package: { name }, owner }) => [name, owner])).toEqual([
      ['inside', 'node_modules/app'],
      ['deep', 'node_modules/app'],
    ])
  })

  it('refuses a lock without a package that another one needs', () => {
    const error = userErrorOf(() => plan(ROOT, { 'node_modules/app': { dependencies: { absent: '1' } } }))
    expect(error.message).toBe(`'${WHERE}' lacks 'absent', which 'app' needs`)
  })

  it('the plan is closed: every required package of an unpacked package is unpacked or bundled, for any lock', () => {
    const random = randomFrom(11, 1)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
    const names = ['app', 'b', 'c', '@lab/d', 'e', 'f']
    let accepted = 0
    for (let round = 0; round < 1500; round += 1) {
      const some = () => Object.fromEntries(names.filter(() => random() < 0.25).map((name) => [name, '1']))
      const packages: Record<string, Record<string, unknown>> = {}
      const facts: Record<string, Partial<TarballFacts>> = {}
      for (const name of names) {
        for (const above of ['', pick(names)]) {
          const location = `${above === '' ? '' : `node_modules/${above}/`}node_modules/${name}`
          if (above !== '' && random() < 0.7) continue
          packages[location] = {
            integrity: testIntegrity(name),
            dependencies: some(),
            optionalDependencies: some(),
            ...(random() < 0.1 && { os: ['win32'] }),
          }
          facts[location] = random() < 0.1 ? { build: 'compiler' } : {}
        }
      }
      try {
        const found = plan(ROOT, packages, facts)
        accepted += 1
        const there = new Set(locations(found))
        for (const { location, required, os } of found.unpacked) {
          expect(os).toEqual([])
          const above = (at: string) => at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))
          for (const name of required) {
            const candidates = [
              `${location}/node_modules/${name}`,
              `${above(location)}/node_modules/${name}`.replace(/^\//, ''),
              `node_modules/${name}`,
            ]
            expect(
              candidates.some((each) => there.has(each)),
              `${location} ${name}`,
            ).toBe(true)
          }
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }
    expect(accepted).toBeGreaterThan(300)
  })
})
