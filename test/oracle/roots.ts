import { readFileSync } from 'node:fs'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { emulatedRoot, unprunedRoot } from '../../images/recipes/oracle.ts'
import { withRootKit } from '../helpers/root-kit.ts'

/** The listings of the same lock's root made under emulation (minutes, unless the store has it) and without. */
export function buildBothRoots(): Promise<{ readonly emulated: string; readonly unpruned: string }> {
  return withRootKit(async ({ workshop, kitchen, oracle, packages, accounts }) => {
    const emulated = emulatedRoot(kitchen, oracle, packages.target, accounts)
    const unpruned = unprunedRoot(kitchen, packages, accounts)
    const outputs = await workshop.runner.realise([unpruned, emulated], workshop.reporter)
    const read = (derivation: Derivation) => {
      const listing = outputs.get(derivationDigest(derivation))?.['listing.jsonl']
      if (listing === undefined) throw new Error(`'${derivation.name}' left no listing`)
      return readFileSync(workshop.store.path(listing.digest), 'utf8')
    }
    return { emulated: read(emulated), unpruned: read(unpruned) }
  })
}
