import { hash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { formatAutoboot } from '../../images/disk/selector.ts'
import { BLOCK, diskLayout, MIB, type PartitionName, partition, SECTOR } from '../../images/layout.ts'
import { readRange } from '../helpers/output-files.ts'
import { assemblePi, smallFile, smallImage } from '../helpers/small-image.ts'
import { crc32c } from './btrfs-superblock.ts'
import { LogWriter } from './log-writer.ts'

const LAYOUT = diskLayout(8 * MIB)
const CHUNK = 64 * 1024

/** A disk with one generation in slot a, and the bytes of another one for slot b. */
export interface FakeDisk {
  readonly base: string
  readonly slot: Uint8Array
  readonly boot: Uint8Array
  /** Offset of autoboot.txt on the disk. */
  readonly selectorAt: number
}

/** Steps of an update. Each one ends with a flush. */
export type Step = 'unboot' | 'slot' | 'boot files' | 'first block' | 'record' | 'identity' | 'selector' | 'data'

export interface FakeUpdate {
  readonly log: string
  /** Number of the flush at the end of each step. */
  readonly flushes: Readonly<Record<Step, number>>
  /** Number of the entry that commits, or NEVER. */
  readonly selectorWrite: number
}

export const NEVER = -1

export async function fakeDisk(directory: string): Promise<FakeDisk> {
  const [old, fresh] = [await generation(directory, 'old', 'aaab'), await generation(directory, 'new', 'abba')]
  const base = join(old, 'tiny.img')
  writeInto(base, place('identity', 0), identityCopy(1))
  writeInto(base, place('identity', 16 * MIB), identityCopy(1))
  writeInto(base, place('identity', 24 * MIB), record(1))
  writeInto(base, place('data', 64 * 1024), superblock())
  const read = (name: string) => readFileSync(join(fresh, name))
  const selector = readRange(base, partition(LAYOUT, 'selector').offset, MIB)
  const at = selector.indexOf(Buffer.from(formatAutoboot('a')))
  return { base, slot: read('slot.img'), boot: read('boot.img'), selectorAt: place('selector', at) }
}

/** Writes the log of an update with these steps. The default order is the right one. */
export function fakeUpdate(disk: FakeDisk, path: string, order: readonly Step[] = STEPS): FakeUpdate {
  const log = new LogWriter(path)
  const flushes: Partial<Record<Step, number>> = {}
  let selectorWrite = NEVER
  for (const step of order) {
    if (step === 'selector') selectorWrite = log.next
    DO[step](log, disk)
    flushes[step] = log.flush()
  }
  log.close()
  return { log: path, flushes: flushes as FakeUpdate['flushes'], selectorWrite }
}

export const STEPS: readonly Step[] = [
  ...(['unboot', 'slot', 'boot files', 'first block', 'record'] as const),
  ...(['identity', 'data', 'selector'] as const),
]

const DO: Readonly<Record<Step, (log: LogWriter, disk: FakeDisk) => void>> = {
  unboot: (log) => log.write(place('boot-b', 0), new Uint8Array(SECTOR)),
  slot: (log, { slot }) => writeChunks(log, place('slot-b', 0), slot, 0),
  'boot files': (log, { boot }) => writeChunks(log, place('boot-b', 0), boot, BLOCK),
  'first block': (log, { boot }) => log.write(place('boot-b', 0), boot.subarray(0, BLOCK)),
  record: (log) => log.write(place('identity', 8 * MIB), record(2)),
  identity(log) {
    for (const at of [0, 16 * MIB]) {
      const [header, tar] = [identityCopy(2).subarray(0, SECTOR), identityCopy(2).subarray(SECTOR)]
      log.write(place('identity', at), new Uint8Array(SECTOR))
      log.flush()
      log.write(place('identity', at + SECTOR), tar)
      log.flush()
      log.write(place('identity', at), header)
      log.flush()
    }
  },
  data(log) {
    log.discard(place('data', 128 * MIB), MIB)
    log.write(place('data', 64 * 1024), superblock())
  },
  selector: (log, { selectorAt }) => log.write(selectorAt, formatAutoboot('b')),
}

/** Offset on the disk of the byte `from` of a partition. */
export function place(name: PartitionName, from: number): number {
  return partition(LAYOUT, name).offset + from
}

/** A copy of the record (docs/agent-protocol.md). */
export function record(sequence: number): Uint8Array {
  const text = `hangar-record 1\nsequence ${sequence}\ncommitted b\nnote ${'x'.repeat(2500)}\n`
  return filled(`${text}sha256 ${hash('sha256', text)}\n`, 4096)
}

/** A copy of the identity (overlays/device/system/identity.sh) with any bytes as its tar. */
export function identityCopy(sequence: number): Uint8Array {
  const tar = Buffer.alloc(3 * SECTOR, `identity ${sequence} `)
  const header = `hangar-identity 1\nsequence ${sequence}\nlength ${tar.length}\nsha256 ${hash('sha256', tar)}\n`
  return Buffer.concat([filled(header, SECTOR), tar])
}

/** A first superblock of a btrfs with the fields that the tests read. */
export function superblock(): Uint8Array {
  const bytes = Buffer.alloc(4096)
  // The superblock is filled to its end, so that a torn copy differs.
  bytes.fill('x', SECTOR)
  bytes.writeBigUInt64LE(64n * 1024n, 48)
  bytes.write('_BHRfS_M', 64)
  bytes.writeUInt32LE(crc32c(bytes.subarray(32)), 0)
  return bytes
}

async function generation(directory: string, name: string, base: string): Promise<string> {
  const [sources, output] = [join(directory, `${name}-sources`), join(directory, name)]
  mkdirSync(sources, { recursive: true })
  const files = { 'kernel_2712.img': `kernel of ${name} `.repeat(4000), 'config.txt': 'arm_64bit=1\nos_check=0\n' }
  const bootFiles = Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file, smallFile(sources, file, text)]),
  )
  await assemblePi(smallImage(sources, output, { base: base.repeat(80), bootFiles }))
  return output
}

/** Writes only chunks that are not zero. */
function writeChunks(log: LogWriter, offset: number, bytes: Uint8Array, from: number): void {
  for (let at = from; at < bytes.length; at += CHUNK - (at % CHUNK)) {
    const chunk = bytes.subarray(at, at - (at % CHUNK) + CHUNK)
    if (chunk.some((byte) => byte !== 0)) log.write(offset + at, chunk)
  }
}

function writeInto(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

function filled(text: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes.set(Buffer.from(text))
  return bytes
}
