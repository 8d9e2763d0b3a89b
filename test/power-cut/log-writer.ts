import { closeSync, openSync, writeSync } from 'node:fs'
import { SECTOR } from '../../images/layout.ts'

/** Writes a log of writes as QEMU does, for tests. */
export class LogWriter {
  private readonly file: number
  private at = SECTOR
  private entries = 0

  constructor(path: string) {
    this.file = openSync(path, 'w')
    this.writeHead()
  }

  /** Number of the next entry. */
  get next(): number {
    return this.entries
  }

  write(offset: number, bytes: Uint8Array): number {
    return this.append(offset, bytes.length, 0, bytes)
  }

  discard(offset: number, length: number): number {
    return this.append(offset, length, 4, new Uint8Array())
  }

  flush(): number {
    return this.append(0, 0, 1, new Uint8Array())
  }

  close(): void {
    closeSync(this.file)
  }

  private append(offset: number, length: number, flags: number, data: Uint8Array): number {
    if (offset % SECTOR !== 0 || length % SECTOR !== 0)
      throw new Error(`length ${length} and offset ${offset} are not multiples of a sector`)
    const header = Buffer.alloc(SECTOR)
    header.writeBigUInt64LE(BigInt(offset / SECTOR), 0)
    header.writeBigUInt64LE(BigInt(length / SECTOR), 8)
    header.writeBigUInt64LE(BigInt(flags), 16)
    writeSync(this.file, header, 0, SECTOR, this.at)
    writeSync(this.file, data, 0, data.length, this.at + SECTOR)
    this.at += SECTOR + data.length
    this.entries += 1
    this.writeHead()
    return this.entries - 1
  }

  private writeHead(): void {
    const head = Buffer.alloc(SECTOR)
    head.writeBigUInt64LE(0x6a736677736872n, 0)
    head.writeBigUInt64LE(1n, 8)
    head.writeBigUInt64LE(BigInt(this.entries), 16)
    head.writeUInt32LE(SECTOR, 24)
    writeSync(this.file, head, 0, SECTOR, 0)
  }
}
