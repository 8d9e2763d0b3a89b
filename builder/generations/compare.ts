import { derivationDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import { FILES, type LayerFile, layerFiles } from '../../images/layers/layer-files/recipe.ts'
import { readSteps } from '../assets.ts'
import { type BuildContext, lockedIn, storeUse } from '../context.ts'
import { withLock } from '../lock/ensure.ts'
import { usingStore } from '../store/leases.ts'
import { readContents, readListing } from './contents.ts'
import { type Difference, differenceOf } from './difference.ts'
import type { Parts } from './parts.ts'
import type { KeptGeneration } from './record.ts'

export interface CompareRequest {
  readonly from: KeptGeneration
  readonly to: KeptGeneration
  /** Listing files needs a sandbox, and about a second for each layer that differs. */
  readonly files: 'listed' | 'left out'
}

/** Compares two generations by their files in the store. */
export function compare(context: BuildContext, { from, to, files }: CompareRequest): Promise<Difference> {
  return usingStore(storeUse(context, 'diff'), async () => {
    const [before, after] = [await readContents(context.store, from), await readContents(context.store, to)]
    const layers = files === 'listed' ? differing(from.parts, to.parts) : new Map<Digest, string>()
    const listings = await listFiles(context, layers)
    const of = ({ parts }: KeptGeneration) =>
      new Map(parts.layers.map(({ name, digest }) => [name as string, listings.get(digest)] as const))
    return differenceOf({ ...before, files: of(from) }, { ...after, files: of(to) })
  })
}

/** The layers that only one of the two images has: digest -> name. */
function differing(one: Parts, other: Parts): Map<Digest, string> {
  const named = (parts: Parts) => new Map(parts.layers.map(({ digest, name }) => [digest, name] as const))
  const [a, b] = [named(one), named(other)]
  return new Map([...a, ...b].filter(([digest]) => !(a.has(digest) && b.has(digest))))
}

/** Lists the files of each layer, by the layer's digest. A derivation lists them, so that the store keeps the list. */
async function listFiles(context: BuildContext, layers: ReadonlyMap<Digest, string>) {
  const found = new Map<Digest, ReadonlyMap<string, LayerFile>>()
  if (layers.size === 0) return found
  const { toolchain, builder, store, runner, reporter, project } = context
  return withLock(context, [toolchain], undefined, async (lock) => {
    const packages = lockedIn(lock, toolchain)
    const context = {
      builder,
      toolchain: { name: 'build', architecture: builder, packages },
      steps: readSteps(project),
    }
    const derivations = new Map([...layers].map(([layer, name]) => [layer, layerFiles(context, name, layer)]))
    const outputs = await runner.realise([...derivations.values()], reporter)
    for (const [layer, derivation] of derivations) {
      const file = outputs.get(derivationDigest(derivation))?.[FILES]
      if (file === undefined) throw new Error(`the derivation that lists layer ${layer} left no '${FILES}'`)
      found.set(layer, await readListing(store.path(file.digest)))
    }
    return found
  })
}
