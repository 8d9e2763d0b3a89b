import { UserError } from '../../errors.ts'
import type { SourceRequest } from '../../images/locked-file.ts'
import type { GoneFile } from '../sources/source.ts'
import type { Locks } from './locks.ts'

/** The flag of the command line: `--frozen`, `--no-frozen` or none. */
export type FrozenFlag = 'frozen' | 'no-frozen' | undefined

/** Whether the lock files must not change. Continuous integration freezes them, because it commits no change. */
export function isFrozen(flag: FrozenFlag, env: NodeJS.ProcessEnv): boolean {
  if (flag !== undefined) return flag === 'frozen'
  return env.CI === 'true'
}

/** Throws UserError when a frozen lock has no entry for a request. */
export function refuseUnlocked(wanted: readonly SourceRequest[], locks: Locks): void {
  const missing = wanted.filter((request) => locks.locked(request) === undefined).map(locks.nameOf)
  if (missing.length === 0) return
  throw new UserError('frozen', `the lock file has no entry for: ${missing.join(', ')}; --frozen forbids adding one`, {
    hint: 'add the entry and commit the lock file: npm run lock; or let this build add the entry: --no-frozen',
  })
}

/** The error for files of a frozen lock that no server has any more. */
export function frozenAndGone(gone: readonly GoneFile[]): UserError {
  const names = gone.map(({ path }) => path.split('/').at(-1)).join(', ')
  return new UserError(
    'frozen',
    `no mirror has these locked files any more: ${names}; --frozen forbids locking others`,
    {
      hint: 'lock newer versions and commit the lock file: npm run lock -- --update; or let this build lock them: --no-frozen',
    },
  )
}
