import { readFileSync } from 'node:fs'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { withRootKit } from '../helpers/root-kit.ts'
import { emulatedRoot, unprunedRoot } from './recipe.ts'

/**
 * Listings of one lock's root, built with and without emulation. The emulated build takes minutes unless the store has the
 * output.
 */
export function buildBothRoots(): Promise<{ readonly emulated: string; readonly unpruned: string }> {
  return withRootKit(async ({ context, layerContext, oracle, packages, accounts }) => {
    const emulated = emulatedRoot(layerContext, oracle, packages.target, accounts)
    const unpruned = unprunedRoot(layerContext, packages, accounts)
    const outputs = await context.runner.realise([unpruned, emulated], context.reporter)
    const read = (derivation: Derivation) => {
      const listing = outputs.get(derivationDigest(derivation))?.['listing.jsonl']
      if (listing === undefined) throw new Error(`'${derivation.name}' left no listing`)
      return readFileSync(context.store.path(listing.digest), 'utf8')
    }
    return { emulated: read(emulated), unpruned: read(unpruned) }
  })
}
