import { digestOf } from '../../images/digest.ts'
import { BLOCK } from '../../images/layout.ts'
import type { Manifest } from '../../images/manifest.ts'
import { parseManifest } from '../../images/manifest.ts'
import { verifyText } from '../../images/signature/sshsig.ts'
import { LEAF, leavesOf, treeSize } from '../../images/slot/verity.ts'

/** The agent's refusal of a call; `code` is one of docs/agent-protocol.md. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The bytes of a partition, and the hash tree that they must match. */
interface Partition {
  bytes: Buffer
  leaves: Buffer | undefined
  blocks: number
}

const MAGIC = 'HGB1'
const END = 0xffffffff

/** A slot on the device: its contents, the image being written, and whether the slot is bootable. */
export class FakeSlot {
  state: 'bootable' | 'empty' | 'unbootable' = 'empty'
  manifest: Manifest | undefined
  readonly slot: Partition = { bytes: Buffer.alloc(0), leaves: undefined, blocks: 0 }
  readonly boot: Partition = { bytes: Buffer.alloc(0), leaves: undefined, blocks: 0 }
  /** The block of the slot that loses its bytes after each write. */
  rotten: number | undefined

  begin(text: string, signature: string, trusted: readonly string[], isLast: boolean): 'begun' | 'written' {
    const manifest = parseManifest(text, 'controller')
    try {
      verifyText(text, signature, trusted)
    } catch (error) {
      throw new Refused('signature', (error as Error).message)
    }
    if (isLast && this.state === 'bootable') return 'written'
    this.state = 'unbootable'
    this.manifest = manifest
    this.slot.leaves = undefined
    this.slot.blocks = manifest.slot.dataBlocks
    this.slot.bytes = resized(this.slot.bytes, manifest.slot.dataBlocks)
    this.boot.leaves = undefined
    this.boot.bytes.subarray(0, BLOCK).fill(0)
    return 'begun'
  }

  takeTree(tree: Buffer): void {
    this.slot.leaves = leavesIn(tree, this.slot.blocks, this.manifest?.slot.root ?? '')
  }

  takeBootTree(line: string, tree: Buffer): void {
    const [blocks = '', root = ''] = line.split(' ')
    this.boot.blocks = Number(blocks)
    this.boot.leaves = leavesIn(tree, this.boot.blocks, root)
    this.boot.bytes = resized(this.boot.bytes, this.boot.blocks)
  }

  missing(part: 'slot' | 'boot'): string {
    const { bytes, leaves, blocks } = this[part]
    if (leaves === undefined) throw new Refused('tree', `no hash tree of the ${part}`)
    const have = leavesOf(bytes)
    const lines: string[] = []
    const isMissing = (block: number) =>
      block < blocks &&
      !leaves.subarray(block * LEAF, (block + 1) * LEAF).equals(have.subarray(block * LEAF, (block + 1) * LEAF))
    for (let first = 0; first < blocks; first++) {
      if (!isMissing(first)) continue
      let count = 1
      while (isMissing(first + count)) count++
      lines.push(`${first} ${count}\n`)
      first += count
    }
    return `${lines.join('')}end\n`
  }

  /** Writes each block when it arrives, so a broken connection loses no arrived block. */
  async takeRecords(part: 'slot' | 'boot', stream: AsyncIterable<Uint8Array>): Promise<number> {
    const { bytes, blocks } = this[part]
    let rest: Buffer = Buffer.alloc(0)
    let [next, left, written, isOver] = [0, 0, 0, false]
    for await (const piece of stream) {
      rest = Buffer.concat([rest, piece])
      for (;;) {
        if (isOver && rest.length > 0) throw new Refused('stream', 'bytes follow the end record')
        if (left === 0 && rest.length >= 12 && !isOver) {
          const [magic, first, count] = [rest.toString('latin1', 0, 4), rest.readUInt32BE(4), rest.readUInt32BE(8)]
          rest = rest.subarray(12)
          if (magic !== MAGIC) throw new Refused('stream', `a record begins with '${magic}'`)
          if (first === END && count === 0) isOver = true
          else if (count < 1 || count > 4096 || first + count > blocks || (part === 'boot' && first === 0))
            throw new Refused('stream', `blocks ${first} to ${first + count - 1} must not be written`)
          else [next, left] = [first, count]
        } else if (left > 0 && rest.length >= BLOCK) {
          bytes.set(rest.subarray(0, BLOCK), next * BLOCK)
          if (part === 'slot' && next === this.rotten) bytes[next * BLOCK] = (bytes[next * BLOCK] ?? 0) ^ 1
          rest = rest.subarray(BLOCK)
          next++
          left--
          written++
        } else break
      }
    }
    if (!isOver) throw new Refused('stream', 'the stream has no end record')
    return written
  }

  finish(first: Buffer): string {
    if (this.state !== 'unbootable' || this.manifest === undefined) throw new Refused('state', 'no write has begun')
    if (first.length !== BLOCK) throw new Refused('stream', `the first block has ${first.length} bytes`)
    if (this.missing('slot') !== 'end\n') throw new Refused('incomplete', 'the slot differs from the signed image')
    this.boot.bytes.set(first)
    if (this.missing('boot') !== 'end\n')
      throw new Refused('incomplete', 'the boot file system differs from its hash tree')
    this.state = 'bootable'
    return this.manifest.slot.root
  }

  /** Fills the slot as an earlier update would. */
  fill(manifest: Manifest, slot: Uint8Array, boot: Uint8Array): void {
    this.state = 'bootable'
    this.manifest = manifest
    this.slot.bytes = Buffer.from(slot.subarray(0, manifest.slot.dataBlocks * BLOCK))
    this.boot.bytes = Buffer.from(boot)
  }
}

function leavesIn(tree: Buffer, blocks: number, root: string): Buffer {
  if (tree.length !== treeSize(blocks))
    throw new Refused('tree', `the tree has ${tree.length} bytes, wanted ${treeSize(blocks)}`)
  if (digestOf(tree.subarray(0, BLOCK)) !== root) throw new Refused('tree', 'the root hash differs')
  const leafBlocks = Math.ceil((blocks * LEAF) / BLOCK)
  const leaves = tree.subarray(tree.length - leafBlocks * BLOCK)
  if (leafBlocks > 1 && !Buffer.from(leavesOf(leaves)).equals(tree.subarray(0, leafBlocks * LEAF)))
    throw new Refused('tree', 'the levels do not match')
  return leaves.subarray(0, blocks * LEAF)
}

function resized(bytes: Buffer, blocks: number): Buffer {
  const out = Buffer.alloc(blocks * BLOCK)
  out.set(bytes.subarray(0, out.length))
  return out
}
