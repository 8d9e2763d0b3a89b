import { describe, expect, it } from 'vitest'
import { changesBetween, changesText } from '../../../builder/lock/changes.ts'
import { EMPTY_LOCK, type Lock, packageKey } from '../../../images/lock.ts'
import { debianAt } from '../../helpers/debian-at.ts'
import { lockedPackage } from '../../helpers/derivation.ts'

const SOURCE = debianAt()

function lockOf(...versions: [string, string][]): Lock {
  const packages = versions.map(([name, version]) => lockedPackage(name, { version }))
  return { ...EMPTY_LOCK, packages: Object.fromEntries(packages.map((item) => [packageKey(item), item])) }
}

describe('the changes between two locks', () => {
  it('equal locks have no changes', () => {
    expect(changesText(changesBetween(SOURCE, lockOf(['a', '1']), lockOf(['a', '1'])))).toBe('')
  })

  it('lists several versions of a package on one line, and compares the newest ones to find an older package', () => {
    const text = (...versions: string[]) => {
      const before = lockOf(['debug', '2.6'], ['debug', '4.10'], ['debug', '4.9'])
      return changesText(
        changesBetween(SOURCE, before, lockOf(...versions.map((each): [string, string] => ['debug', each]))),
      )
    }
    expect(text('4.10', '2.6', '4.9')).toBe('')
    expect(text('2.6', '4.11')).toBe('debug  arm64  2.6, 4.9, 4.10 -> 2.6, 4.11\n')
    expect(text('4.9')).toBe('debug  arm64  2.6, 4.9, 4.10 -> 4.9 (older)\n')
  })

  it('a change shows the package, its architecture, the old and the new version on one line', () => {
    const changes = changesBetween(
      SOURCE,
      lockOf(['openssl', '3.5-1'], ['old', '1'], ['back', '2']),
      lockOf(['openssl', '3.5-2'], ['jq', '1.7'], ['back', '1']),
    )
    expect(changesText(changes)).toBe(
      [
        'back     arm64  2 -> 1 (older)\n',
        'jq       arm64  new 1.7\n',
        'old      arm64  1 dropped\n',
        'openssl  arm64  3.5-1 -> 3.5-2\n',
      ].join(''),
    )
  })
})
