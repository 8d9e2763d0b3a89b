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

describe('a lock', () => {
  it('has a line for each package and each member of a set, so that a difference names what moved', () => {
    const lines = lockText(LOCK).split('\n')
    expect(lines.filter((line) => line.includes('"sha256"'))).toHaveLength(2)
    expect(lines).toContain('        "dash_1.0-1_arm64",')
    expect(lines).toContain('    "debian/trixie": "Sat, 21 Nov 2026 09:30:46 UTC"')
  })

  it('is one text for one value, whatever the order in which packages came', () => {
    const { [packageKey(zstd)]: last, ...first } = LOCK.packages
    const other = { ...first, ...(last && { [packageKey(zstd)]: last }) }
    expect(lockText({ ...LOCK, packages: other })).toBe(lockText(LOCK))
  })

  it('is the same after being written and read', () => {
    expect(parseLock(lockText(LOCK), 'lock')).toEqual(LOCK)
  })

  it('names no server', () => {
    expect(() => parseLock(lockText(LOCK).replace('"path"', '"url"'), 'lock')).toThrow('is damaged')
  })

  it('in a format that is not known is refused with what to do', () => {
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
      'a digest that is none',
      lockText(LOCK).replace(dash.sha256, 'f00'),
      "is damaged at 'packages.dash_1.0-1_arm64.sha256'",
    ],
    ['an archive that is none', lockText(LOCK).replace('"debian-security"', '"other"'), 'is damaged at '],
    ['the marks of a merge', `<<<<<<< ours\n${lockText(LOCK)}`, 'is not JSON: '],
  ])('with %s is refused, and it is said how to restore it', (_what, text, reason) => {
    expect(() => parseLock(text, 'images/debian.lock.json')).toThrow(
      expect.objectContaining({
        code: 'lock',
        message: expect.stringContaining(`lock 'images/debian.lock.json' ${reason}`),
        hint: 'restore it: git checkout images/debian.lock.json; or resolve everything again: npm run lock -- --update',
      }),
    )
  })
})

describe('the packages of a set', () => {
  it('are those in the lock, in its order, whatever the order of the request', () => {
    expect(lockedPackages(LOCK, arm64(SET))).toEqual([dash, zstd])
  })

  it.each<[string, PackageSet]>([
    ['more is asked for', { ...SET, request: ['dash', 'zstd', 'xz-utils'] }],
    ['less is asked for', { ...SET, request: ['dash'] }],
    ['another package is assumed', { ...SET, assumed: ['python3'] }],
    ['essential packages are left out now', { ...SET, essential: 'left-out' }],
    ['the set is a new one', { ...SET, name: 'container/mosquitto' }],
  ])('have to be resolved when %s', (_what, set) => {
    expect(lockedPackages(LOCK, arm64(set))).toBeUndefined()
  })

  it('have to be resolved for another architecture', () => {
    expect(lockedPackages(LOCK, { set: SET, architecture: 'amd64' })).toBeUndefined()
  })

  it('have to be resolved when the lock lost one of them', () => {
    expect(lockedPackages({ ...LOCK, packages: { [packageKey(dash)]: dash } }, arm64(SET))).toBeUndefined()
  })
})
