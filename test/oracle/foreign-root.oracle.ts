import { beforeAll, describe, expect, it } from 'vitest'
import { isLeftBehind } from '../../images/layers/base/carry.ts'
import { type Comparison, compareRoots, parseListing } from './compare.ts'
import { LEFT_BEHIND, OF_MMDEBSTRAP } from './exceptions.ts'
import type { ListedPath } from './listing.ts'
import { buildBothRoots } from './roots.ts'

const LAUNCHER = '/usr/lib/dbus-1.0/dbus-daemon-launch-helper'
const SSH = '/etc/systemd/system/multi-user.target.wants/ssh.service'
const EXCEPTIONS = [...LEFT_BEHIND, ...OF_MMDEBSTRAP]

describe('the root that is made without emulation', () => {
  let expected: ListedPath[]
  let actual: ListedPath[]
  let comparison: Comparison

  beforeAll(async () => {
    const { emulated, unpruned } = await buildBothRoots()
    expected = parseListing(emulated)
    actual = parseListing(unpruned)
    comparison = compareRoots(expected, actual, EXCEPTIONS)
  })

  it('is the root that mmdebstrap makes under emulation, but for the named exceptions', () => {
    expect(comparison.unexplained).toEqual([])
    // Two empty listings would be equal too.
    expect(expected.length).toBeGreaterThan(5000)
  })

  it('needs every named exception', () => {
    expect(comparison.unused.map(({ pattern, reason }) => `${pattern}: ${reason}`)).toEqual([])
  })

  it('leaves behind what it lacks, unless only mmdebstrap makes it', () => {
    const missing = comparison.excused.filter(({ difference }) => difference.aspects.includes('missing'))
    const wrong = missing.filter(
      ({ difference, exception }) => isLeftBehind(difference.path) === OF_MMDEBSTRAP.includes(exception),
    )
    expect(wrong.map(({ difference }) => difference.path)).toEqual([])
  })

  // Negative control: these are what maintainer scripts do, so a root whose scripts were not carried has them as here.
  it.each<[string, string, (item: ListedPath) => ListedPath[]]>([
    ['set-user-id that a script gave', LAUNCHER, (item) => [{ ...item, mode: 0o755 }]],
    ['a group that a script gave', LAUNCHER, (item) => [{ ...item, gid: 0 }]],
    ['an ACL that a script set', '/var/log/journal', ({ xattrs: _, ...item }) => [item]],
    ['a link that a script made', '/etc/mtab', () => []],
    ['a unit that a script enabled', SSH, () => []],
    ['the text of a file that a script wrote', '/etc/pam.d/common-auth', (item) => [{ ...item, sha256: '00' }]],
    ['bytes of a program of the builder', '/usr/bin/podman', (item) => [{ ...item, sha256: '00' }]],
  ])('would not be equal without %s', (_what, path, damage) => {
    const damaged = actual.flatMap((item) => (item.path === path ? damage(item) : [item]))
    expect(damaged).not.toEqual(actual)
    const { unexplained } = compareRoots(expected, damaged, EXCEPTIONS)
    expect(unexplained.map((difference) => difference.path)).toEqual([path])
  })
})
