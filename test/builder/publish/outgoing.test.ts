import { describe, expect, it } from 'vitest'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import type { KeptGeneration } from '../../../builder/generations/record.ts'
import { outgoingImage } from '../../../builder/publish/outgoing.ts'
import { machine } from '../../helpers/publishing.ts'

/** The image that a machine would publish after it built the small image. */
async function builtImage() {
  const { build, store } = await machine()
  const generation = requireKept('tiny', generationNumbered(store.root, 'tiny', await build()))
  return (given: Partial<KeptGeneration> = {}) => outgoingImage(store, 'tiny', { ...generation, ...given })
}

describe('outgoingImage', () => {
  it('two machines that build at different times from one revision publish the same bytes', async () => {
    const [one, other] = [await builtImage(), await builtImage()]
    expect((await other()).digest).toBe((await one()).digest)
  })

  it.each([
    ['at another time', { built: '2026-01-03T00:00:00.000Z' }],
    ['from another revision', { revision: 'f'.repeat(40) }],
  ])('an image that was built %s differs only in its facts', async (_, given) => {
    const image = await builtImage()
    const [one, other] = [await image(), await image(given)]
    expect(other.digest).not.toBe(one.digest)
    const known = one.blobs.map(({ digest }) => digest)
    expect(other.blobs.filter(({ digest }) => !known.includes(digest)).map(({ name }) => name)).toEqual(['facts'])
  })
})
