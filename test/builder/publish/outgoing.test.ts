import { describe, expect, it } from 'vitest'
import { generationNumbered, type KeptGeneration, requireKept } from '../../../builder/generations/record.ts'
import { outgoingImage } from '../../../builder/publish/outgoing.ts'
import { machine } from '../../helpers/publishing.ts'

/** What a machine that built the small image would publish. */
async function builtImage() {
  const { build, store } = await machine()
  const generation = requireKept('tiny', generationNumbered(store.root, 'tiny', await build()))
  return (given: Partial<KeptGeneration> = {}) => outgoingImage(store, 'tiny', { ...generation, ...given })
}

describe('an image on its way out', () => {
  it('is the same bytes on two machines that built it at one time from one revision', async () => {
    const [one, other] = [await builtImage(), await builtImage()]
    expect((await other()).digest).toBe((await one()).digest)
  })

  it.each([
    ['at another time', { built: '2026-01-03T00:00:00.000Z' }],
    ['from another revision', { revision: 'f'.repeat(40) }],
  ])('differs in nothing but the facts where it was built %s', async (_, given) => {
    const image = await builtImage()
    const [one, other] = [await image(), await image(given)]
    expect(other.digest).not.toBe(one.digest)
    const known = one.blobs.map(({ digest }) => digest)
    expect(other.blobs.filter(({ digest }) => !known.includes(digest)).map(({ name }) => name)).toEqual(['facts'])
  })
})
