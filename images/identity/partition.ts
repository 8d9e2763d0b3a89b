import { UserError } from '../../errors.ts'
import { digestOf } from '../digest.ts'
import type { BlockSource } from '../disk/block-source.ts'
import { IDENTITY_SIZE, SECTOR } from '../layout.ts'

const FORMAT = 'hangar-identity 1'
/** Offsets of the two copies, as in overlays/device/system/identity.sh. The record of updates is at 8 and 24 MiB. */
const COPIES = [0, IDENTITY_SIZE / 2]
const LARGEST = 1024 * 1024

/** The content of the partition: two copies of the tar. The rest is zeros, which erase an older identity. */
export function identityPartition(tar: Uint8Array, sequence = 1): Uint8Array {
  if (tar.length > LARGEST) {
    throw new UserError('size', `the identity has ${tar.length} bytes, but at most ${LARGEST} are allowed`, {
      hint: 'remove old keys that no slot needs any more',
    })
  }
  const bytes = new Uint8Array(IDENTITY_SIZE)
  for (const at of COPIES) {
    bytes.set(header(tar, sequence), at)
    bytes.set(tar, at + SECTOR)
  }
  return bytes
}

function header(tar: Uint8Array, sequence: number): Uint8Array {
  return Buffer.from(`${FORMAT}\nsequence ${sequence}\nlength ${tar.length}\nsha256 ${digestOf(tar)}\n`, 'latin1')
}

export interface IdentityCopy {
  readonly sequence: number
  readonly tar: Uint8Array
}

/** The newest valid copy on a partition, or undefined. */
export function readIdentity(partition: BlockSource): IdentityCopy | undefined {
  const valid = COPIES.flatMap((at) => readCopy(partition, at) ?? [])
  return valid.sort((a, b) => b.sequence - a.sequence)[0]
}

function readCopy(partition: BlockSource, at: number): IdentityCopy | undefined {
  const text = Buffer.from(partition.read(at, SECTOR)).toString('latin1')
  const [, sequence, length, digest] =
    /^hangar-identity 1\nsequence (\d+)\nlength (\d+)\nsha256 ([0-9a-f]{64})\n\0*$/.exec(text) ?? []
  if (length === undefined || Number(length) > LARGEST) return undefined
  const tar = partition.read(at + SECTOR, Number(length))
  return digestOf(tar) === digest ? { sequence: Number(sequence), tar } : undefined
}
