import { hash } from 'node:crypto'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { MIB, SECTOR } from '../../images/layout.ts'

/**
 * State of data that the disk stores in two copies. `whole`: at least one copy is undamaged. `blank`: never written.
 * `unfinished`: one copy is blank and the other damaged, as after a power cut in the first write. `lost`: both are damaged.
 */
export type NewestCopy =
  | { readonly state: 'whole'; readonly sequence: number }
  | { readonly state: 'blank' | 'unfinished' | 'lost' }

type Copy = number | 'blank' | 'damaged'

/** Reads the two copies of the host's identity (overlays/device/system/identity.sh): a header sector and a tar each. */
export function readIdentity(partition: BlockSource): NewestCopy {
  return newest([0, 16 * MIB].map((at) => identityCopy(partition, at)))
}

/** Reads the two copies of the record of the last update (docs/agent-protocol.md). */
export function readRecord(partition: BlockSource): NewestCopy {
  return newest(RECORD_PLACES.map((at) => recordCopy(partition, at)))
}

/** Keys and values of the newest undamaged record. Empty if there is none. */
export function recordLines(partition: BlockSource): ReadonlyMap<string, string> {
  const copies = RECORD_PLACES.map((at) => ({ at, sequence: recordCopy(partition, at) }))
  const whole = copies.filter(({ sequence }) => typeof sequence === 'number')
  const [newest] = whole.sort((one, other) => Number(other.sequence) - Number(one.sequence))
  if (newest === undefined) return new Map()
  const lines = textOf(partition.read(newest.at, RECORD_SIZE)).split('\n')
  return new Map(lines.map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]))
}

const LARGEST_TAR = MIB
const RECORD_SIZE = 4096
const RECORD_PLACES = [8 * MIB, 24 * MIB]

function identityCopy(partition: BlockSource, at: number): Copy {
  const header = partition.read(at, SECTOR)
  if (isBlank(header)) return 'blank'
  const [format, ...lines] = textOf(header).split('\n')
  const length = numberIn(lines, 'length')
  const sequence = numberIn(lines, 'sequence')
  if (format !== 'hangar-identity 1' || sequence === undefined) return 'damaged'
  if (length === undefined || length < 1 || length > LARGEST_TAR) return 'damaged'
  const digest = hash('sha256', partition.read(at + SECTOR, length))
  return lines.includes(`sha256 ${digest}`) ? sequence : 'damaged'
}

function recordCopy(partition: BlockSource, at: number): Copy {
  const place = partition.read(at, RECORD_SIZE)
  if (isBlank(place)) return 'blank'
  const text = textOf(place)
  const [, covered = '', digest] = /^(.*\n)sha256 ([0-9a-f]{64})\n$/s.exec(text) ?? []
  const [format, second = ''] = covered.split('\n')
  const sequence = numberIn([second], 'sequence')
  if (format !== 'hangar-record 1' || sequence === undefined) return 'damaged'
  return hash('sha256', covered) === digest && isBlank(place.subarray(text.length)) ? sequence : 'damaged'
}

function newest(copies: readonly Copy[]): NewestCopy {
  const whole = copies.filter((copy) => typeof copy === 'number')
  if (whole.length > 0) return { state: 'whole', sequence: Math.max(...whole) }
  if (copies.every((copy) => copy === 'blank')) return { state: 'blank' }
  return { state: copies.includes('blank') ? 'unfinished' : 'lost' }
}

function numberIn(lines: readonly string[], name: string): number | undefined {
  const value = lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '')
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
