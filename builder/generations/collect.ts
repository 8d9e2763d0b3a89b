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
  /** The tree's own: what it names stays, so that the next build fetches nothing. */
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
  /** Of these only the name is left. */
  readonly go: readonly HostGeneration[]
  readonly garbage: Garbage
  /** Generations that stay, and of which nobody can tell what they were made from. */
  readonly unknown: readonly KeptGeneration[]
}

/** Forgets generations whose time has come, and removes what is then reached from nowhere. */
export function collect(request: CollectRequest): Promise<Collected> {
  if (request.mode === 'dry-run') return look(request, chosenIn(request))
  return collectingStore(request.use, async () => {
    const { store, step = justDo } = request
    const { go } = chosenIn(request)
    // On the disk before anything else goes: a generation that is cut short is one that nobody counts on any more.
    for (const { host, generation } of go)
      await step(`forget generation ${generation.number} of ${host}`, () => forgetParts(store.root, host, generation))
    // Read again, from the disk: what was not forgotten is reached, whatever was decided.
    const found = await look(request, { stay: keptIn(store.root), go })
    await removeGarbage(store, found.garbage, step)
    return found
  })
}

async function look({ store, lock }: CollectRequest, { stay, go }: Pick<Collected, 'stay' | 'go'>): Promise<Collected> {
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

/** A record that cannot be read may name anything: then nothing at all is collected. */
function keptIn(root: string): HostGeneration[] {
  return recordedHosts(root).flatMap((host) => {
    const { generations, unreadable } = readGenerations(root, host)
    const [first] = unreadable
    if (first !== undefined) throw cannotTell(first.file, first.why)
    return generations.filter(isKept).map((generation) => ({ host, generation }))
  })
}

function cannotTell(file: string, why: string): UserError {
  return new UserError('generation', `nothing is collected: cannot tell what '${file}' keeps: ${why}`, {
    hint: `update hangar (git pull && npm ci) if a newer one wrote it, or give that generation up: rm '${file}'`,
  })
}
