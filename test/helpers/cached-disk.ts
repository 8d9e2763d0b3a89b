import type { Disk } from '../../flash/disk/disk.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { BLOCK } from '../../images/layout.ts'

interface Write {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** A possible state of a disk after a power cut, and a description of it. */
export interface Found {
  readonly how: string
  readonly disk: BlockSource
}

/**
 * A disk with a volatile write cache: after a power cut, any subset of the unflushed writes may be on the disk. After each
 * write it calls `cut` with the possible states.
 */
export class CachedDisk implements Disk {
  readonly path = 'a disk'
  readonly size: number
  writes = 0
  private blocks = new Map<number, Buffer>()
  private waiting: Write[] = []
  private readonly cut: (found: Found) => void

  constructor(size: number, cut: (found: Found) => void = () => undefined) {
    this.size = size
    this.cut = cut
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset + bytes.length > this.size) throw new Error(`write beyond the end: ${offset} + ${bytes.length}`)
    this.writes += 1
    this.waiting.push({ offset, bytes: Uint8Array.from(bytes) })
    for (const [how, waiting] of this.survivors()) {
      this.cut({ how: `write ${this.writes}, ${how}`, disk: this.with(waiting) })
    }
  }

  async flush(): Promise<void> {
    for (const write of this.waiting) apply(this.blocks, write)
    this.waiting = []
  }

  async *read(offset: number, size: number): AsyncGenerator<Uint8Array> {
    yield this.with(this.waiting).read(offset, size)
  }

  /** Returns the current content, unflushed writes included. */
  source(): BlockSource {
    return this.with(this.waiting)
  }

  /** Returns a copy of the disk that calls another function. */
  watchedBy(cut: (found: Found) => void): CachedDisk {
    const copy = new CachedDisk(this.size, cut)
    copy.blocks = new Map([...this.blocks].map(([at, block]) => [at, Buffer.from(block)]))
    return copy
  }

  damage(offset: number): void {
    apply(this.blocks, { offset, bytes: Uint8Array.of(0xaa) })
  }

  private survivors(): [string, Write[]][] {
    const last = this.waiting.slice(-1)
    return [
      ['with all writes', this.waiting],
      ['without the unflushed writes', []],
      ['with only the last unflushed write', last],
      [
        'with only half of the last unflushed write',
        last.map(({ offset, bytes }) => ({ offset, bytes: bytes.subarray(0, bytes.length >> 1) })),
      ],
      ['with the even unflushed writes', this.waiting.filter((_, index) => index % 2 === 0)],
      ['with the odd unflushed writes', this.waiting.filter((_, index) => index % 2 === 1)],
    ]
  }

  private with(waiting: readonly Write[]): BlockSource {
    return {
      size: this.size,
      read: (offset, length) => {
        const out = Buffer.alloc(length)
        for (let at = Math.floor(offset / BLOCK); at * BLOCK < offset + length; at++) {
          const block = this.blocks.get(at)
          if (block !== undefined) overlay(out, offset, { offset: at * BLOCK, bytes: block })
        }
        for (const write of waiting) overlay(out, offset, write)
        return out
      },
    }
  }
}

/** Copies the bytes of a write that are inside `out`, which begins at `start`. */
function overlay(out: Buffer, start: number, { offset, bytes }: Write): void {
  const from = Math.max(start, offset)
  const to = Math.min(start + out.length, offset + bytes.length)
  if (to > from) out.set(bytes.subarray(from - offset, to - offset), from - start)
}

function apply(blocks: Map<number, Buffer>, { offset, bytes }: Write): void {
  for (let at = Math.floor(offset / BLOCK); at * BLOCK < offset + bytes.length; at++) {
    const block = blocks.get(at) ?? Buffer.alloc(BLOCK)
    overlay(block, at * BLOCK, { offset, bytes })
    blocks.set(at, block)
  }
}
