import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { derivationDigest } from '../../images/derivation.ts'
import { withRootKit } from '../helpers/root-kit.ts'
import { compareRoots, parseListing } from './compare.ts'
import type { ListedPath } from './listing.ts'
import { unprunedRoot } from './recipe.ts'

describe('maintainer scripts that run twice', () => {
  let first: ListedPath[]
  let second: ListedPath[]

  beforeAll(async () => {
    ;[first, second] = await rootsOfTwoRuns()
  })

  it('maintainer scripts that run twice, at different times, make the same root', () => {
    expect(compareRoots(first, second, []).unexplained).toEqual([])
    // Two empty listings would be equal, too.
    expect(first.length).toBeGreaterThan(5000)
  })

  it('another text in a file that a script writes makes another root (negative control)', () => {
    const path = '/etc/pam.d/common-auth'
    const changed = second.map((item) => (item.path === path ? { ...item, sha256: '00' } : item))
    expect(compareRoots(first, changed, []).unexplained).toMatchObject([{ path, aspects: ['sha256'] }])
  })
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
