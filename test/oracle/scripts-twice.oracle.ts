import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { derivationDigest } from '../../images/derivation.ts'
import { withRootKit } from '../helpers/root-kit.ts'
import { compareRoots, parseListing } from './compare.ts'
import type { ListedPath } from './listing.ts'
import { unprunedRoot } from './recipe.ts'

it('maintainer scripts that run twice, at different times, make the same root', async () => {
  const [first, second] = await rootsOfTwoRuns()
  expect(compareRoots(first, second, []).unexplained).toEqual([])
  // Two empty listings would be equal, too.
  expect(first.length).toBeGreaterThan(5000)
})

it('a file with a random id differs between two runs (negative control)', async () => {
  const withId = (sha256: string): ListedPath[] => [
    { path: '/etc/id', kind: 'file', mode: 0o644, uid: 0, gid: 0, sha256 },
  ]
  expect(compareRoots(withId('aa'), withId('bb'), []).unexplained).toMatchObject([{ path: '/etc/id' }])
})

/** The listings of two builds of the same root, one after the other. An argument makes the second another derivation. */
function rootsOfTwoRuns(): Promise<[ListedPath[], ListedPath[]]> {
  return withRootKit(async ({ context, layerContext, packages, accounts }) => {
    const build = async (run: string) => {
      const derivation = unprunedRoot(layerContext, packages, accounts)
      const again = { ...derivation, command: [...derivation.command, run] }
      const outputs = await context.runner.realise([again], context.reporter)
      const listing = outputs.get(derivationDigest(again))?.['listing.jsonl']
      if (listing === undefined) throw new Error(`'${again.name}' left no listing`)
      return parseListing(readFileSync(context.store.path(listing.digest), 'utf8'))
    }
    // The store may have the first run from another day.
    return [await build('first run'), await build(`run at ${context.now.toISOString()}`)]
  })
}
