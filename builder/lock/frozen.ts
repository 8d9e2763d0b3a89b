import { UserError } from '../../errors.ts'
import type { Lock } from '../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../images/package-set.ts'
import type { Wanted } from '../sources/debian/archive/wanted.ts'
import { unanswered } from '../sources/debian/resolve/sets.ts'

/** What the command line says about the lock: `--frozen`, `--no-frozen` or nothing. */
export type FrozenFlag = 'frozen' | 'no-frozen' | undefined

const HINT = 'lock anew and commit the difference: npm run lock (or let this build do it: --no-frozen)'

/** Whether the lock may not be changed. Continuous integration freezes it untold: nobody would commit the change. */
export function isFrozen(flag: FrozenFlag, env: NodeJS.ProcessEnv): boolean {
  if (flag !== undefined) return flag === 'frozen'
  return env.CI === 'true'
}

/** Throws where a frozen lock does not hold what is asked for. */
export function refuseUnlocked(wanted: readonly ArchitectureSet[], lock: Lock): void {
  const missing = unanswered(wanted, lock).map(setKey)
  if (missing.length === 0) return
  throw new UserError('frozen', `the lock is frozen and does not answer for: ${missing.join(', ')}`, { hint: HINT })
}

/** For packages of a frozen lock that have left every mirror. */
export function frozenAndGone(gone: readonly Wanted[]): UserError {
  const names = gone.map(({ path }) => path.split('/').at(-1)).join(', ')
  return new UserError('frozen', `the lock is frozen, and these have left every mirror: ${names}`, {
    hint: 'lock their successors and commit: npm run lock -- --update (or let this build do it: --no-frozen)',
  })
}
