import { describe, expect, it } from 'vitest'
import { frozenAndGone, isFrozen, refuseUnlocked } from '../../../builder/lock/frozen.ts'
import { EMPTY_LOCK, type Lock } from '../../../images/lock.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
import { debianLocks } from '../../helpers/debian-locks.ts'
import { lockedPackage } from '../../helpers/derivation.ts'

const WANTED: ArchitectureSet = {
  set: { name: 'base', request: ['bash'], essential: 'left-out', assumed: [] },
  architecture: 'arm64',
}
const LOCKED: Lock = {
  ...EMPTY_LOCK,
  sets: { 'base:arm64': { request: ['bash'], essential: 'left-out', assumed: [], packages: [] } },
}

describe('a frozen lock', () => {
  it('the flag freezes the lock, and so does CI=true without the flag', () => {
    const frozen = [
      isFrozen('frozen', {}),
      isFrozen(undefined, { CI: 'true' }),
      isFrozen('no-frozen', { CI: 'true' }),
      isFrozen(undefined, {}),
      isFrozen(undefined, { CI: 'false' }),
    ]
    expect(frozen).toEqual([true, true, false, false, false])
  })

  it('refuses a request that the frozen lock does not contain, and names the command that adds it', () => {
    const refusing = () => refuseUnlocked([WANTED], debianLocks(EMPTY_LOCK))
    expect(refusing).toThrow('the lock file has no entry for: base:arm64; --frozen forbids adding one')
    expect(refusing).toThrow(expect.objectContaining({ code: 'frozen', hint: expect.stringContaining('npm run lock') }))
  })

  it('accepts a request that the frozen lock contains', () => {
    expect(() => refuseUnlocked([WANTED], debianLocks(LOCKED))).not.toThrow()
  })

  it('names files that all mirrors deleted, and the command that locks newer ones', () => {
    const error = frozenAndGone([lockedPackage('openssl')])
    expect(error).toMatchObject({
      code: 'frozen',
      message: 'no mirror has these locked files any more: openssl.deb; --frozen forbids locking others',
      hint: expect.stringContaining('npm run lock'),
    })
  })
})
