import { describe, expect, it } from 'vitest'
import { compareRoots, type Exception, findDifferences, parseListing } from './compare.ts'
import { LEFT_BEHIND, OF_MMDEBSTRAP } from './exceptions.ts'
import type { ListedPath } from './listing.ts'

const file = (path: string, given: Partial<ListedPath> = {}): ListedPath => ({
  path,
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sha256: 'aa',
  ...given,
})

describe('findDifferences', () => {
  it('finds no difference between equal roots', () => {
    expect(findDifferences([file('/a'), file('/b')], [file('/b'), file('/a')])).toEqual([])
  })

  it.each<[string, Partial<ListedPath>]>([
    ['mode', { mode: 0o4644 }],
    ['uid', { uid: 100 }],
    ['gid', { gid: 100 }],
    ['sha256', { sha256: 'bb' }],
    ['kind', { kind: 'other' }],
    ['target', { target: 'x' }],
    ['same', { same: '/b' }],
    ['xattrs', { xattrs: { 'security.capability': '0x01' } }],
  ])('finds a difference in %s', (aspect, given) => {
    expect(findDifferences([file('/a')], [file('/a', given)])).toMatchObject([{ path: '/a', aspects: [aspect] }])
    expect(findDifferences([file('/a', given)], [file('/a')])).toMatchObject([{ path: '/a', aspects: [aspect] }])
  })

  it('finds paths that only one root has', () => {
    expect(findDifferences([file('/a')], [file('/b')])).toMatchObject([
      { path: '/a', aspects: ['missing'] },
      { path: '/b', aspects: ['extra'] },
    ])
  })

  it('shows both values of a difference', () => {
    const [difference] = findDifferences([file('/a', { mode: 0o755 })], [file('/a', { mode: 0o4754 })])
    expect(difference?.detail).toBe('mode: expected 0755, got 04754')
  })
})

describe('an exception of compareRoots', () => {
  const key: Exception = { pattern: /^\/key$/, aspects: ['sha256'], reason: 'random' }

  it('an exception covers its paths and aspects', () => {
    const { unexplained, unused } = compareRoots([file('/key')], [file('/key', { sha256: 'bb' })], [key])
    expect([unexplained, unused]).toEqual([[], []])
  })

  it.each<[string, ListedPath, ListedPath[]]>([
    ['another path', file('/other'), [file('/other', { sha256: 'bb' })]],
    ['another aspect', file('/key'), [file('/key', { mode: 0o600 })]],
    ['one of two aspects', file('/key'), [file('/key', { sha256: 'bb', mode: 0o600 })]],
    ['a missing path', file('/key'), []],
  ])('an exception does not cover %s', (_what, expected, actual) => {
    expect(compareRoots([expected], actual, [key]).unexplained).toHaveLength(1)
  })

  it('reports an exception that covers nothing', () => {
    expect(compareRoots([file('/key')], [file('/key')], [key]).unused).toEqual([key])
  })

  it('exceptions.ts covers no program, library, unit or account', () => {
    const roots = [
      '/usr/bin/podman',
      '/usr/lib/aarch64-linux-gnu/libc.so.6',
      '/etc/passwd',
      '/etc/shadow',
      '/var/lib/dpkg/status',
      '/etc/systemd/system/sshd.service',
    ]
    const changed = (given: Partial<ListedPath>) => roots.map((path) => file(path, given))
    for (const actual of [[], changed({ sha256: 'bb' }), changed({ mode: 0o777 }), changed({ target: '/x' })]) {
      const { unexplained } = compareRoots(changed({}), actual, [...LEFT_BEHIND, ...OF_MMDEBSTRAP])
      expect(unexplained).toHaveLength(roots.length)
    }
  })
})

describe('parseListing', () => {
  it('reads one path from each line of a listing', () => {
    const lines = [file('/a'), file('/b', { xattrs: { x: '0x00' } })]
    expect(parseListing(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual(lines)
  })
})
