import { UserError } from '../../../../errors.ts'
import type { Store } from '../../../store/store.ts'
import type { Fetch } from '../../../toolchain/toolchain.ts'

const NAMED = 5

/** Fetches nothing: what is not in the store is named. */
export function offlineFetch(store: Store): Fetch {
  return async (packages) => {
    const missing = packages.filter(({ sha256, size }) => !store.has(sha256, size))
    if (missing.length === 0) return
    const names = missing.slice(0, NAMED).map(({ path }) => path.split('/').at(-1))
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : ''
    throw new UserError('fetch', `offline, and the store lacks ${names.join(', ')}${more}`, {
      hint: 'let it fetch them once: the same command without --offline',
    })
  }
}
