import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { digestSegments } from '../../../../builder/outputs/write.ts'
import { planSlot } from '../../../../builder/platforms/pi/slot.ts'
import { digestOf } from '../../../../images/digest.ts'
import { BLOCK, MIB } from '../../../../images/layout.ts'
import { parseIndex } from '../../../../images/slot/index.ts'
import { hashTree, leavesOf } from '../../../../images/slot/verity.ts'
import { smallLayer } from '../../../helpers/small-image.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function layers() {
  const directory = await tempDirectory()
  return [smallLayer(directory, 'base', 'aab'), smallLayer(directory, 'host', 'h')]
}

describe('planSlot', () => {
  it('places the index, the layers end to end, and the hash tree over both', async () => {
    const { segments, size, dataBlocks, root } = planSlot(await layers(), MIB)
    const index =
      segments[0] === undefined || !('bytes' in segments[0].source) ? Buffer.alloc(0) : segments[0].source.bytes
    const data = Buffer.concat([index, ...[...'aabh'].map((letter) => Buffer.alloc(BLOCK, letter))])
    const tree = hashTree(leavesOf(data))
    expect({ dataBlocks, root, size }).toEqual({
      dataBlocks: 5,
      root: tree.root,
      size: data.length + tree.bytes.length,
    })
    expect(digestSegments(size, segments)).toBe(digestOf(Buffer.concat([data, tree.bytes])))
  })

  it('writes the offset and the size of each layer into the index', async () => {
    const { segments, layers: named } = planSlot(await layers(), MIB)
    const source = segments[0]?.source
    expect(source !== undefined && 'bytes' in source && parseIndex(source.bytes)).toEqual([
      { name: 'base', first: 1, blocks: 3 },
      { name: 'host', first: 4, blocks: 1 },
    ])
    expect(named.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['base', BLOCK, 3 * BLOCK],
      ['host', 4 * BLOCK, BLOCK],
    ])
  })

  it('accepts a slot that fills its partition, and refuses one more block', async () => {
    const given = await layers()
    const { size } = planSlot(given, MIB)
    expect(planSlot(given, size).size).toBe(size)
    expect(() => planSlot(given, size - 1)).toThrow('the image takes 25 kB, but its slot has 25 kB')
  })

  it('names the largest layers when the slot is too large', async () => {
    const given = await layers()
    expect(() => planSlot(given, 2 * BLOCK)).toThrow(
      expect.objectContaining({
        code: 'size',
        message: 'the image takes 25 kB, but its slot has 8.2 kB; the largest layers: base 12 kB, host 4.1 kB',
        hint: expect.stringContaining('slotSize'),
      }),
    )
  })

  it('refuses a layer with the wrong number of leaves', async () => {
    const [base, ...others] = await layers()
    if (base === undefined) throw new Error('no layer')
    writeFileSync(base.leaves, Buffer.alloc(32))
    expect(() => planSlot([base, ...others], MIB)).toThrow("layer 'base' has 1 leaves, wanted 3")
  })
})
