import { type CliContext, storeUse } from '../context.ts'
import { readLocks } from '../lock/locks.ts'
import { SOURCES } from '../sources/registry.ts'
import { openStore, storeRoot } from '../store/directory.ts'
import { type Collected, collect } from './collect.ts'
import type { Retention } from './retention.ts'

export interface GarbageRequest {
  readonly retention: Retention
  /** With `dry-run`, gc changes nothing in the store. */
  readonly mode: 'collect' | 'dry-run'
}

/** Deletes expired generations and everything in the store that nothing references. */
export async function collectGarbage(context: CliContext, { retention, mode }: GarbageRequest): Promise<Collected> {
  const store = await openStore(storeRoot(context.env), mode === 'dry-run' ? 'read' : 'write')
  return collect({
    ...{ store, retention, mode, now: context.now },
    lock: await readLocks(context.project, SOURCES, store),
    use: storeUse({ ...context, store }, 'gc'),
  })
}
