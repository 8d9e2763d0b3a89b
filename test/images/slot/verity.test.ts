import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BLOCK } from '../../../images/layout.ts'
import { hashTree, LEAF, leavesOf, treeSize } from '../../../images/slot/verity.ts'

/** Data with different blocks: block n is filled with the line 'block n'. */
function data(blocks: number): Buffer {
  const bytes = Buffer.alloc(blocks * BLOCK)
  for (let at = 0; at < blocks; at++) bytes.fill(`block ${at}\n`, at * BLOCK, (at + 1) * BLOCK)
  return bytes
}

// Computed by cryptsetup 2.6.1 for the same data, with an empty TREE:
// veritysetup format --no-superblock --format=1 --hash=sha256 --salt=- --data-block-size=4096 --hash-block-size=4096 DATA TREE
const GOLDEN = [
  {
    what: 'two blocks, the minimum of a slot',
    blocks: 2,
    root: '2791ad4f16ac661c45fe7415c4c150d36e45dadc2bbe4c4861083fde2600eafb',
    size: 4096,
    tree: '2791ad4f16ac661c45fe7415c4c150d36e45dadc2bbe4c4861083fde2600eafb',
  },
  {
    what: 'one full block of leaves',
    blocks: 128,
    root: '9b229e282236cc094555d433660245c548be5efd034c2643e73dd634ce02db79',
    size: 4096,
    tree: '9b229e282236cc094555d433660245c548be5efd034c2643e73dd634ce02db79',
  },
  {
    what: 'one leaf more than fits into one block',
    blocks: 129,
    root: 'fe30697025eb6771f47bb074679807c06ac3fe6d5cbc44176e2abc9087b3f944',
    size: 12288,
    tree: '0c0e635d7e9e3d697cd64790c31961e0bd185dc49b7e55ce54e31d752bd4f869',
  },
  {
    what: 'one block more than fits into two levels',
    blocks: 16385,
    root: 'b25ec1f7a48c022e64b7567c92d160fadea844101e62523e1583200a0bae1a22',
    size: 540672,
    tree: '9a55be4338b78b28db0e11348175c3435a5ad46c9e6b9331373daa0d3bbd944d',
  },
]

describe('the hash tree of a slot', () => {
  it.each(GOLDEN)('the hash tree equals the tree of veritysetup for $what', ({ blocks, root, size, tree }) => {
    const made = hashTree(leavesOf(data(blocks)))
    expect(made.root).toBe(root)
    expect(made.bytes.length).toBe(size)
    expect(hash('sha256', made.bytes, 'hex')).toBe(tree)
  })

  it.each(GOLDEN)('the hash tree has the size that treeSize computes for $blocks blocks', ({ blocks, size }) => {
    expect(treeSize(blocks)).toBe(size)
  })

  it('the hash tree is the same if the leaves are computed separately for each layer', () => {
    const bytes = data(300)
    const cuts = [0, 1, 129, 130, 300]
    const parts = cuts.slice(1).map((end, at) => leavesOf(bytes.subarray((cuts[at] ?? 0) * BLOCK, end * BLOCK)))
    expect(Buffer.concat(parts)).toEqual(leavesOf(bytes))
    expect(hashTree(Buffer.concat(parts))).toEqual(hashTree(leavesOf(bytes)))
  })

  it('a changed bit changes the root and one leaf of the hash tree', () => {
    const bytes = data(129)
    const before = leavesOf(bytes)
    bytes[128 * BLOCK + 5] = (bytes[128 * BLOCK + 5] ?? 0) ^ 1
    const after = leavesOf(bytes)
    expect(after.subarray(0, 128 * LEAF)).toEqual(before.subarray(0, 128 * LEAF))
    expect(after.subarray(128 * LEAF)).not.toEqual(before.subarray(128 * LEAF))
    expect(hashTree(after).root).not.toBe(hashTree(before).root)
  })
})
