import type { Digest } from '../../images/digest.ts'
import { platformNamed } from '../platforms/registry.ts'
import type { Store } from '../store/store.ts'
import type { Parts } from './parts.ts'
import { pinnedOf } from './pins.ts'
import { missingParts } from './rebuild.ts'
import { type Generation, generationsOf, isKept } from './record.ts'

/** `expired`: gc left only the record. `incomplete`: the store lacks files of a generation that it should keep. */
export type GenerationState = 'pinned' | 'kept' | 'incomplete' | 'expired'

/** A generation as `hangar generations` lists it. */
export interface ListedGeneration {
  readonly number: number
  readonly root: Digest
  readonly built: string
  readonly revision: string | null
  readonly state: GenerationState
  /** The sizes of the slot image, the boot image and each layer, in bytes. */
  readonly sizes: {
    readonly slot: number
    readonly boot: number
    readonly layers: Readonly<Record<string, number>>
  } | null
  /** Digest of the lock file's text; null for an image that another machine built. */
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
        state: stateOf(store, generation, pinned),
        sizes: parts === undefined ? null : sizesOf(host, parts),
        lock: parts?.origin?.lock ?? null,
      }
    })
}

function stateOf(store: Store, generation: Generation, pinned: ReadonlySet<number>): GenerationState {
  if (!isKept(generation)) return 'expired'
  if (missingParts(store, generation.parts).length > 0) return 'incomplete'
  return pinned.has(generation.number) ? 'pinned' : 'kept'
}

function sizesOf(host: string, { platform, outputs, layers }: Parts) {
  const { slot, boot } = platformNamed(platform).images(host)
  const sizeOf = (name: string | undefined) => outputs.find((each) => each.name === name)?.size ?? 0
  return {
    slot: sizeOf(slot),
    boot: sizeOf(boot),
    layers: Object.fromEntries(layers.map(({ name, size }) => [name, size])),
  }
}
