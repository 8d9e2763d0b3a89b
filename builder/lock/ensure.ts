import type { Lock } from '../../images/lock.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import type { BuildContext } from '../context.ts'
import { GoneError } from '../sources/debian/archive/failure.ts'
import { changesText } from './changes.ts'
import { readLock, writeLock } from './file.ts'
import { type FrozenFlag, frozenAndGone, isFrozen, refuseUnlocked } from './frozen.ts'
import { type LockMode, lockSets } from './lock.ts'

/**
 * Runs `use` with a lock that answers for what is wanted: what a host file newly names is locked first. Where `use` finds
 * that locked packages have left every mirror, their sets are resolved anew and it runs once more. Frozen, both fail.
 */
export async function withLock<T>(
  context: BuildContext,
  wanted: readonly ArchitectureSet[],
  flag: FrozenFlag,
  use: (lock: Lock) => Promise<T>,
): Promise<T> {
  const frozen = isFrozen(flag, context.env)
  const current = await readLock(context.lockFile)
  if (frozen) refuseUnlocked(wanted, current)
  const lock = frozen
    ? current
    : await relock(context, wanted, current, { kind: 'missing' }, 'locked what the lock did not name yet')
  try {
    return await use(lock)
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
    if (frozen) throw frozenAndGone(error.gone)
    context.reporter.warn(`${error.gone.length} locked packages have left every mirror: ${error.message}`)
    return use(
      await relock(
        context,
        wanted,
        lock,
        { kind: 'gone', gone: error.gone },
        'locked their successors, and what moves with them',
      ),
    )
  }
}

/** Resolves as the mode says, writes the lock where it changed, and says what moved. */
export async function relock(
  context: BuildContext,
  wanted: readonly ArchitectureSet[],
  current: Lock,
  mode: LockMode,
  what: string,
): Promise<Lock> {
  const { lock, changes } = await lockSets(wanted, current, mode, context)
  if (lock === current) return lock
  await writeLock(context.lockFile, lock)
  context.reporter.notice(
    `${what} (${changes.length} packages); commit ${context.lockFile}\n${changesText(changes)}`.trimEnd(),
  )
  return lock
}
