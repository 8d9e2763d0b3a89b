import { UserError } from '../../errors.ts'
import type { Store } from '../store/store.ts'
import type { Fetch } from '../toolchain/toolchain.ts'

/** The largest number of missing files that the message names. */
const NAMED = 5

/** Fetches nothing. Throws UserError if the store lacks a file. */
export function offlineFetch(store: Store): Fetch {
  return async (files) => {
    const missing = files.filter(({ sha256, size }) => !store.has(sha256, size))
    if (missing.length === 0) return
    const names = missing.slice(0, NAMED).map(({ path }) => path.split('/').at(-1))
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : ''
    throw new UserError('fetch', `the store lacks ${names.join(', ')}${more}, and --offline forbids fetching`, {
      hint: 'run the same command once without --offline',
    })
  }
}
