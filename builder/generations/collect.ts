import { UserError } from '../../errors.ts'
import type { Locks } from '../lock/locks.ts'
import { findGarbage, type Garbage, justDo, removeGarbage, type Step } from '../store/garbage.ts'
import { collectingStore, programsInUse, type StoreUse } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import { pinnedOf } from './pins.ts'
import {
  forgetParts,
  isKept,
  type KeptGeneration,
  readGenerations,
  recordedHosts,
  unfinishedRecords,
} from './record.ts'
import { choose, type Retention } from './retention.ts'
import { liveFrom } from './roots.ts'

export interface CollectRequest {
  readonly store: Store
  readonly retention: Retention
  /** The project's current lock. Its packages are kept, so that the next build fetches nothing again. */
  readonly lock: Locks | undefined
  readonly mode: 'collect' | 'dry-run'
  readonly now: Date
  readonly use: StoreUse
  readonly step?: Step
}

export interface HostGeneration {
  readonly host: string
  readonly generation: KeptGeneration
}

export interface Collected {
  readonly stay: readonly HostGeneration[]
  /** Generations whose files gc deletes; it keeps only their records. */
  readonly go: readonly HostGeneration[]
  readonly garbage: Garbage
  /**
   * Kept generations whose dependency graph is missing: gc cannot tell which packages they need, and may delete these.
   */
  readonly unknown: readonly KeptGeneration[]
}

/** Deletes the files of old generations, and every object that nothing refers to afterwards. */
export function collect(request: CollectRequest): Promise<Collected> {
  if (request.mode === 'dry-run') return findUnused(request, chosenIn(request))
  return collectingStore(request.use, async () => {
    const { store, step = justDo } = request
    const { go } = chosenIn(request)
    // Changes the records before it deletes objects: a power cut must not leave a record that names deleted objects.
    for (const { host, generation } of go)
      await step(`forget generation ${generation.number} of ${host}`, () => forgetParts(store.root, host, generation))
    // Reads the records again from disk: objects of every generation whose record still lists files stay in the store.
    const found = await findUnused(request, { stay: keptIn(store.root), go })
    await removeGarbage(store, found.garbage, step)
    return found
  })
}

async function findUnused(
  { store, lock }: CollectRequest,
  { stay, go }: Pick<Collected, 'stay' | 'go'>,
): Promise<Collected> {
  const generations = stay.map(({ generation }) => generation)
  const { live, unknown } = await liveFrom(store, generations, lock)
  const garbage = await findGarbage(store, { ...live, inUse: programsInUse(store.root) })
  const records = [...unfinishedRecords(store.root), ...garbage.records]
  return { stay, go, garbage: { ...garbage, records }, unknown }
}

function chosenIn({ store, retention, now }: CollectRequest): Pick<Collected, 'stay' | 'go'> {
  const kept = keptIn(store.root)
  const chosen = recordedHosts(store.root).map((host) => {
    const own = kept.filter((each) => each.host === host).map(({ generation }) => generation)
    return { host, ...choose(own, pinnedOf(store.root, host), retention, now) }
  })
  const named = (which: 'stay' | 'go') =>
    chosen.flatMap(({ host, [which]: generations }) => generations.map((generation) => ({ host, generation })))
  return { stay: named('stay'), go: named('go') }
}

/** Throws on an unreadable record: its objects are unknown, and gc would delete them. */
function keptIn(root: string): HostGeneration[] {
  return recordedHosts(root).flatMap((host) => {
    const { generations, unreadable } = readGenerations(root, host)
    const [first] = unreadable
    if (first !== undefined) throw unreadableRecord(first.file, first.why)
    return generations.filter(isKept).map((generation) => ({ host, generation }))
  })
}

function unreadableRecord(file: string, why: string): UserError {
  return new UserError('generation', `gc deleted nothing: cannot read the record '${file}': ${why}`, {
    hint: `update hangar (git pull && npm ci) if a newer one wrote it, or delete that generation: rm '${file}'`,
  })
}
