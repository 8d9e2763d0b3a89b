import { beforeAll, describe, expect, it } from 'vitest'
import { isLeftBehind } from '../../images/layers/base/carry.ts'
import { type Comparison, compareRoots, parseListing } from './compare.ts'
import { LEFT_BEHIND, OF_MMDEBSTRAP } from './exceptions.ts'
import type { ListedPath } from './listing.ts'
import { buildBothRoots } from './roots.ts'

const LAUNCHER = '/usr/lib/dbus-1.0/dbus-daemon-launch-helper'
const SSH = '/etc/systemd/system/multi-user.target.wants/ssh.service'
const EXCEPTIONS = [...LEFT_BEHIND, ...OF_MMDEBSTRAP]

describe('the root that hangar builds without emulation', () => {
  let expected: ListedPath[]
  let actual: ListedPath[]
  let comparison: Comparison

  beforeAll(async () => {
    const { emulated, unpruned } = await buildBothRoots()
    expected = parseListing(emulated)
    actual = parseListing(unpruned)
    comparison = compareRoots(expected, actual, EXCEPTIONS)
  })

  it("the root that hangar builds equals mmdebstrap's root, except for the listed exceptions", () => {
    expect(comparison.unexplained).toEqual([])
    // Two empty listings would be equal, too.
    expect(expected.length).toBeGreaterThan(5000)
  })

  it('every listed exception is necessary', () => {
    expect(comparison.unused.map(({ pattern, reason }) => `${pattern}: ${reason}`)).toEqual([])
  })

  it('the root lacks only paths that carry.ts leaves behind or that only mmdebstrap creates', () => {
    const missing = comparison.excused.filter(({ difference }) => difference.aspects.includes('missing'))
    const wrong = missing.filter(
      ({ difference, exception }) => isLeftBehind(difference.path) === OF_MMDEBSTRAP.includes(exception),
    )
    expect(wrong.map(({ difference }) => difference.path)).toEqual([])
  })

  // Negative control: each change below undoes one effect of a maintainer script, and the comparison must find it.
  it.each<[string, string, (item: ListedPath) => ListedPath[]]>([
    ['a set-user-id bit that a script sets', LAUNCHER, (item) => [{ ...item, mode: 0o755 }]],
    ['a group that a script sets', LAUNCHER, (item) => [{ ...item, gid: 0 }]],
    ['an ACL that a script sets', '/var/log/journal', ({ xattrs: _, ...item }) => [item]],
    ['a link that a script creates', '/etc/mtab', () => []],
    ['a unit that a script enables', SSH, () => []],
    ['the text of a file that a script writes', '/etc/pam.d/common-auth', (item) => [{ ...item, sha256: '00' }]],
    ['the bytes of a program for the target', '/usr/bin/podman', (item) => [{ ...item, sha256: '00' }]],
  ])('the root differs without %s (negative control)', (_what, path, damage) => {
    const damaged = actual.flatMap((item) => (item.path === path ? damage(item) : [item]))
    expect(damaged).not.toEqual(actual)
    const { unexplained } = compareRoots(expected, damaged, EXCEPTIONS)
    expect(unexplained.map((difference) => difference.path)).toEqual([path])
  })
})
