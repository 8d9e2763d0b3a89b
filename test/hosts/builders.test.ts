import { beforeAll, describe, expect, it } from 'vitest'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import type { Architecture } from '../../images/architecture.ts'
import { withoutRebuild } from '../../images/debian/version.ts'
import type { Derivation, Input } from '../../images/derivation.ts'
import { type Lock, type LockedPackage, lockedPackages } from '../../images/lock.ts'
import { setKey } from '../../images/package-set.ts'
import { CONTROL, cross, TOOLCHAIN, VM } from '../../images/sets.ts'
import { adama } from '../helpers/adama.ts'
import { compile } from '../helpers/compile.ts'
import { debianSets } from '../helpers/debian-sets.ts'
import { planAlone } from '../helpers/host.ts'
import { derivationsByName, LOCK_FILE, lockedImage } from '../helpers/locked-image.ts'
import { PROJECT } from '../helpers/toolchain.ts'

const BUILDERS = ['amd64', 'arm64'] as const

let lock: Lock

beforeAll(async () => {
  compile(PROJECT)
  lock = await readDebianLock(LOCK_FILE)
})

const derivations = (builder: Architecture) => derivationsByName(lockedImage(adama, lock, builder))

/** An input without the builder of the derivation that makes it. */
function described(input: Input): unknown {
  return 'from' in input ? `${input.file} of ${input.from.name}` : input
}

/**
 * The parts of a derivation that must not depend on the builder. Steps that run maintainer scripts get the builder's
 * architecture as their first argument.
 */
function withoutBuilder({ name, inputs, command, env, privilege }: Derivation): unknown {
  const read = Object.entries(inputs).filter(([path]) => !path.startsWith('native/'))
  const builders: readonly string[] = BUILDERS
  return {
    inputs: Object.fromEntries(read.map(([path, input]) => [path, described(input)])),
    command: /^(base$|container-)/.test(name)
      ? command.filter((word, at) => at !== 2 || !builders.includes(word))
      : command,
    env,
    privilege,
  }
}

/** The version of the source package. Binary rebuilds and cross compilers (`14.2.0-19cross1`) have the same source. */
function sourceVersion({ version }: LockedPackage): string {
  return withoutRebuild(version).replace(/cross\d+$/, '')
}

describe.each(BUILDERS)('a builder of architecture %s', (builder) => {
  it('every builder finds all its package sets in the lock', () => {
    const wanted = [
      ...debianSets(planAlone(adama).requests(builder)),
      ...[CONTROL, VM].map((set) => ({ set, architecture: builder })),
    ]
    expect(wanted.filter((set) => lockedPackages(lock, set) === undefined).map(setKey)).toEqual([])
  })

  it('every builder runs programs of its own architecture only', () => {
    for (const { name, system, toolchain } of derivations(builder).values()) {
      const others = (toolchain.packages as readonly LockedPackage[]).filter(
        ({ architecture }) => architecture !== builder && architecture !== 'all',
      )
      expect({ name, system, architecture: toolchain.architecture, others }).toEqual({
        ...{ name, system: builder, architecture: builder, others: [] },
      })
    }
  })
})

describe('the toolchains of the builders', () => {
  it.each([TOOLCHAIN.name, cross('amd64').name])('toolchains of all builders contain the same versions: %s', (name) => {
    const versions = BUILDERS.map((architecture) => {
      const packages = lock.sets[`${name}:${architecture}`]?.packages.map((key) => lock.packages[key])
      return new Map(packages?.flatMap((item) => (item === undefined ? [] : [[item.package, sourceVersion(item)]])))
    })
    const [amd64, arm64] = versions.map((found) => Object.fromEntries(found))
    const shared = Object.keys(amd64 ?? {}).filter((each) => arm64?.[each] !== undefined)
    expect(shared.length).toBeGreaterThan(40)
    for (const each of shared) expect([each, amd64?.[each]]).toEqual([each, arm64?.[each]])
  })
})

describe('an image', () => {
  it('an image has the same derivations on every builder', () => {
    const [amd64, arm64] = BUILDERS.map((builder) => lockedImage(adama, lock, builder))
    expect([...derivations('amd64').keys()]).toEqual([...derivations('arm64').keys()])
    expect(amd64?.layers.map(({ name }) => name)).toEqual(arm64?.layers.map(({ name }) => name))
    expect(Object.keys(amd64?.bootFiles ?? {})).toEqual(Object.keys(arm64?.bootFiles ?? {}))
    expect(amd64?.versions).toEqual(arm64?.versions)
  })

  it('an image has the same packages, files and commands on every builder', () => {
    const arm64 = derivations('arm64')
    for (const [name, derivation] of derivations('amd64')) {
      const other = arm64.get(name) ?? expect.fail(`no '${name}'`)
      expect({ name, ...Object(withoutBuilder(derivation)) }).toEqual({ name, ...Object(withoutBuilder(other)) })
    }
  })

  it("a builder of the image's architecture configures the image with its own packages", () => {
    const debs = (builder: Architecture, side: string) =>
      Object.entries(derivations(builder).get('base')?.inputs ?? {}).flatMap(([path, input]) =>
        path.startsWith(`${side}/`) && 'locked' in input ? [input.locked.sha256] : [],
      )
    expect(debs('arm64', 'native')).toEqual(debs('arm64', 'target'))
    expect(debs('amd64', 'native')).not.toEqual(debs('amd64', 'target'))
    expect(debs('amd64', 'native').length).toBeGreaterThan(100)
  })
})
