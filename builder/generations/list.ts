import type { Digest } from '../../images/digest.ts'
import type { Store } from '../store/store.ts'
import { pinnedOf } from './pins.ts'
import { missingParts } from './rebuild.ts'
import { type Generation, generationsOf, isKept } from './record.ts'

/** `named`: only its name is left. `incomplete`: parts of it are not whole in the store. */
export type Standing = 'pinned' | 'kept' | 'incomplete' | 'named'

/** A generation as people and programs are shown it. */
export interface ListedGeneration {
  readonly number: number
  readonly root: Digest
  readonly built: string
  readonly revision: string | null
  readonly standing: Standing
  /** Bytes of the slot, of the boot file system and of each layer. */
  readonly sizes: {
    readonly slot: number
    readonly boot: number
    readonly layers: Readonly<Record<string, number>>
  } | null
  /** Digest of the lock's text; null where it was not built here. */
  readonly lock: Digest | null
}

/** The host's generations, newest first. */
export function listGenerations(store: Store, host: string): ListedGeneration[] {
  const pinned = pinnedOf(store.root, host)
  return generationsOf(store.root, host)
    .reverse()
    .map((generation) => {
      const { number, root, built, revision, parts } = generation
      return {
        ...{ number, root, built, revision },
        standing: standingOf(store, generation, pinned),
        sizes: parts === undefined ? null : sizesOf(parts),
        lock: parts?.origin?.lock ?? null,
      }
    })
}

function standingOf(store: Store, generation: Generation, pinned: ReadonlySet<number>): Standing {
  if (!isKept(generation)) return 'named'
  if (missingParts(store, generation.parts).length > 0) return 'incomplete'
  return pinned.has(generation.number) ? 'pinned' : 'kept'
}

function sizesOf({ outputs, layers }: NonNullable<Generation['parts']>) {
  const sizeOf = (name: string) => outputs.find((each) => each.name === name)?.size ?? 0
  return {
    slot: sizeOf('slot.img'),
    boot: sizeOf('boot.img'),
    layers: Object.fromEntries(layers.map(({ name, size }) => [name, size])),
  }
}
