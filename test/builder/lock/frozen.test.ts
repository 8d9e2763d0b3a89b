import { describe, expect, it } from 'vitest'
import { frozenAndGone, isFrozen, refuseUnlocked } from '../../../builder/lock/frozen.ts'
import { EMPTY_LOCK, type Lock } from '../../../images/lock.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
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
  it('is one by flag, or by CI where no flag says otherwise', () => {
    const frozen = [
      isFrozen('frozen', {}),
      isFrozen(undefined, { CI: 'true' }),
      isFrozen('no-frozen', { CI: 'true' }),
      isFrozen(undefined, {}),
      isFrozen(undefined, { CI: 'false' }),
    ]
    expect(frozen).toEqual([true, true, false, false, false])
  })

  it('refuses what it does not hold, with the command that locks it', () => {
    const refusing = () => refuseUnlocked([WANTED], EMPTY_LOCK)
    expect(refusing).toThrow('the lock is frozen and does not answer for: base:arm64')
    expect(refusing).toThrow(expect.objectContaining({ code: 'frozen', hint: expect.stringContaining('npm run lock') }))
  })

  it('lets through what it holds', () => {
    expect(() => refuseUnlocked([WANTED], LOCKED)).not.toThrow()
  })

  it('names the files that have left every mirror, with the command that locks their successors', () => {
    const error = frozenAndGone([lockedPackage('openssl')])
    expect(error).toMatchObject({
      code: 'frozen',
      message: 'the lock is frozen, and these have left every mirror: openssl.deb',
      hint: expect.stringContaining('npm run lock'),
    })
  })
})
