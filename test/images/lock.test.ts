import { describe, expect, it } from 'vitest'
import { type Lock, lockedPackages, lockText, packageKey, parseLock } from '../../images/lock.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { lockedPackage } from '../helpers/derivation.ts'

const dash = lockedPackage('dash')
const zstd = lockedPackage('zstd', { archive: 'debian-security', suite: 'trixie-security' })
const SET: PackageSet = { name: 'base', request: ['zstd', 'dash'], essential: 'included', assumed: ['perl'] }

const LOCK: Lock = {
  format: 1,
  time: 1795227046,
  releases: { 'debian/trixie': 'Sat, 21 Nov 2026 09:30:46 UTC' },
  sets: {
    'base:arm64': {
      request: ['dash', 'zstd'],
      essential: 'included',
      assumed: ['perl'],
      packages: [packageKey(dash), packageKey(zstd)],
    },
  },
  packages: { [packageKey(zstd)]: zstd, [packageKey(dash)]: dash },
}

const arm64 = (set: PackageSet) => ({ set, architecture: 'arm64' as const })

describe('the lock file', () => {
  it('the lock file has one line for each package and each member of a set', () => {
    const lines = lockText(LOCK).split('\n')
    expect(lines.filter((line) => line.includes('"sha256"'))).toHaveLength(2)
    expect(lines).toContain('        "dash_1.0-1_arm64",')
    expect(lines).toContain('    "debian/trixie": "Sat, 21 Nov 2026 09:30:46 UTC"')
  })

  it('the lock file has the same text for every order of packages', () => {
    const { [packageKey(zstd)]: last, ...first } = LOCK.packages
    const other = { ...first, ...(last && { [packageKey(zstd)]: last }) }
    expect(lockText({ ...LOCK, packages: other })).toBe(lockText(LOCK))
  })

  it('the lock file is the same after writing and parsing', () => {
    expect(parseLock(lockText(LOCK), 'lock')).toEqual(LOCK)
  })

  it('refuses a lock file that contains a URL', () => {
    expect(() => parseLock(lockText(LOCK).replace('"path"', '"url"'), 'lock')).toThrow('is damaged')
  })

  it('refuses a lock file of an unknown format, with a hint', () => {
    expect(() => parseLock('{"format":2}', 'images/debian.lock.json')).toThrow(
      expect.objectContaining({
        code: 'format',
        message: "lock 'images/debian.lock.json' has format 2, this hangar reads format 1",
        hint: 'update hangar: git pull && npm ci; or resolve everything again: npm run lock -- --update',
      }),
    )
  })

  it.each([
    [
      'an invalid digest',
      lockText(LOCK).replace(dash.sha256, 'f00'),
      "is damaged at 'packages.dash_1.0-1_arm64.sha256'",
    ],
    ['an unknown archive', lockText(LOCK).replace('"debian-security"', '"other"'), 'is damaged at '],
    ['conflict markers of a merge', `<<<<<<< ours\n${lockText(LOCK)}`, 'is not JSON: '],
  ])('refuses a lock file with %s, and the hint says how to restore it', (_what, text, reason) => {
    expect(() => parseLock(text, 'images/debian.lock.json')).toThrow(
      expect.objectContaining({
        code: 'lock',
        message: expect.stringContaining(`lock 'images/debian.lock.json' ${reason}`),
        hint: 'restore it: git checkout images/debian.lock.json; or resolve everything again: npm run lock -- --update',
      }),
    )
  })
})

describe('lockedPackages', () => {
  it('returns the packages in the lock’s order, for every order of the request', () => {
    expect(lockedPackages(LOCK, arm64(SET))).toEqual([dash, zstd])
  })

  it.each<[string, PackageSet]>([
    ['has more requested packages', { ...SET, request: ['dash', 'zstd', 'xz-utils'] }],
    ['has fewer requested packages', { ...SET, request: ['dash'] }],
    ['assumes another package', { ...SET, assumed: ['python3'] }],
    ['no longer includes essential packages', { ...SET, essential: 'left-out' }],
    ['is not in the lock', { ...SET, name: 'container/mosquitto' }],
  ])('returns undefined for a package set that %s', (_what, set) => {
    expect(lockedPackages(LOCK, arm64(set))).toBeUndefined()
  })

  it('returns undefined for a package set of another architecture', () => {
    expect(lockedPackages(LOCK, { set: SET, architecture: 'amd64' })).toBeUndefined()
  })

  it('returns undefined if the lock has no entry for one of the packages', () => {
    expect(lockedPackages({ ...LOCK, packages: { [packageKey(dash)]: dash } }, arm64(SET))).toBeUndefined()
  })
})
