import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { BLOCK } from '../../images/layout.ts'
import { hashTree, leavesOf } from '../../images/slot/verity.ts'
import { diskState } from './disk-state.ts'
import { SlotCheck } from './slot-check.ts'

const log = { entries: [], read: () => undefined }

/** A slot whose data blocks contain their own numbers. One byte can be changed. */
function slot(blocks: number, changedAt?: number) {
  const data = Buffer.alloc(blocks * BLOCK)
  for (let block = 0; block < blocks; block++) data.writeUInt32LE(block, block * BLOCK)
  const { root, bytes: tree } = hashTree(leavesOf(data))
  const bytes = Buffer.concat([data, tree])
  if (changedAt !== undefined) bytes[changedAt] = (bytes[changedAt] ?? 0) ^ 1
  return { disk: diskState(blockSourceOf(bytes), log, []), wanted: { root, blocks } }
}

describe('SlotCheck', () => {
  it.each([1, 2, 128, 129, 20_000])('the slot check accepts a slot of %i blocks', (blocks) => {
    const { disk, wanted } = slot(blocks)
    expect(new SlotCheck().problemOf(disk, wanted)).toBeUndefined()
    expect(new SlotCheck().opens(disk, wanted)).toBe(true)
  })

  it('the slot check names a changed data block', () => {
    const { disk, wanted } = slot(300, 299 * BLOCK + 4000)
    expect(new SlotCheck().problemOf(disk, wanted)).toBe('data block 299 does not match the tree')
    expect(new SlotCheck().opens(disk, wanted)).toBe(true)
  })

  it.each([
    ['the topmost block', 300, 0, 0],
    ['a block below', 300, 2, 1],
  ])('the slot check names a change in %s of the tree', (_, blocks, block, level) => {
    const { disk, wanted } = slot(blocks, (blocks + block) * BLOCK + 17)
    const index = level === 0 ? 0 : block - 1
    expect(new SlotCheck().problemOf(disk, wanted)).toBe(
      `block ${index} of level ${level} of the tree does not match the level above`,
    )
    expect(new SlotCheck().opens(disk, wanted)).toBe(false)
  })

  it('the slot check refuses another root hash', () => {
    const { disk } = slot(300)
    const { wanted } = slot(299)
    expect(new SlotCheck().problemOf(disk, { ...wanted, blocks: 300 })).toMatch(/level 0/)
  })

  it('the slot check refuses a slot that is smaller than the command line needs', () => {
    const { disk, wanted } = slot(300)
    expect(new SlotCheck().problemOf(disk, { ...wanted, blocks: 10 ** 9 })).toMatch(/the command line needs a slot of/)
  })
})
