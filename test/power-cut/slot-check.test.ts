import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { BLOCK } from '../../images/layout.ts'
import { hashTree, leavesOf } from '../../images/slot/verity.ts'
import { diskState } from './disk-state.ts'
import { SlotCheck } from './slot-check.ts'

const log = { entries: [], read: () => undefined }

/** A slot whose data blocks hold their own numbers, with a byte changed on request. */
function slot(blocks: number, changedAt?: number) {
  const data = Buffer.alloc(blocks * BLOCK)
  for (let block = 0; block < blocks; block++) data.writeUInt32LE(block, block * BLOCK)
  const { root, bytes: tree } = hashTree(leavesOf(data))
  const bytes = Buffer.concat([data, tree])
  if (changedAt !== undefined) bytes[changedAt] = (bytes[changedAt] ?? 0) ^ 1
  return { disk: diskState(blockSourceOf(bytes), log, []), wanted: { root, blocks } }
}

describe('a slot', () => {
  it.each([1, 2, 128, 129, 20_000])('of %i blocks verifies', (blocks) => {
    const { disk, wanted } = slot(blocks)
    expect(new SlotCheck().problemOf(disk, wanted)).toBeUndefined()
    expect(new SlotCheck().opens(disk, wanted)).toBe(true)
  })

  it('does not where a block of its data differs', () => {
    const { disk, wanted } = slot(300, 299 * BLOCK + 4000)
    expect(new SlotCheck().problemOf(disk, wanted)).toBe('data block 299 is not what the tree says')
    expect(new SlotCheck().opens(disk, wanted)).toBe(true)
  })

  it.each([
    ['the topmost block', 300, 0, 0],
    ['a block below', 300, 2, 1],
  ])('does not where %s of its tree differs', (_, blocks, block, level) => {
    const { disk, wanted } = slot(blocks, (blocks + block) * BLOCK + 17)
    const index = level === 0 ? 0 : block - 1
    expect(new SlotCheck().problemOf(disk, wanted)).toBe(
      `block ${index} of the tree's level ${level} is not what the one above says`,
    )
    expect(new SlotCheck().opens(disk, wanted)).toBe(false)
  })

  it('does not with the root of another', () => {
    const { disk } = slot(300)
    const { wanted } = slot(299)
    expect(new SlotCheck().problemOf(disk, { ...wanted, blocks: 300 })).toMatch(/level 0/)
  })

  it('is too small for what the command line may ask for', () => {
    const { disk, wanted } = slot(300)
    expect(new SlotCheck().problemOf(disk, { ...wanted, blocks: 10 ** 9 })).toMatch(/bytes is asked for/)
  })
})
