import { readFileSync } from 'node:fs'
import { chmod, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { readGpt } from '../../images/disk/gpt-read.ts'
import type { Trust } from '../../images/identity/members.ts'
import { identityPartition, readIdentity } from '../../images/identity/partition.ts'
import { parseManifest } from '../../images/manifest.ts'
import type { IdentityTar } from '../disk/write-host-disk.ts'
import { withDisk } from './disk.ts'

/**
 * Writes the project's identity to a new copy of a disk image, as `flash --disk` does, so that the machine can decrypt the
 * secrets of its services. Without an identity in the project, the machine makes its own at first boot.
 */
export async function giveIdentity(image: string, disk: string, identity: IdentityTar): Promise<void> {
  const tar = await identity(trustOf(image))
  if (tar === undefined) return
  // The copy has private keys now.
  await chmod(disk, 0o600)
  const { offset } = withDisk(disk, identityPartitionOf)
  const file = await open(disk, 'r+')
  try {
    await file.write(identityPartition(tar), 0, undefined, offset)
  } finally {
    await file.close()
  }
}

/** Whether a disk that an earlier start wrote has other age keys than the project: such a machine lacks its secrets. */
export async function hasOtherIdentity(image: string, disk: string, identity: IdentityTar): Promise<boolean> {
  const tar = await identity(trustOf(image))
  if (tar === undefined) return false
  const found = withDisk(disk, (source) => readIdentity(part(source, identityPartitionOf(source))))
  return found === undefined || recipientsIn(found.tar) !== recipientsIn(tar)
}

/** The age recipients in a tar of an identity, which holds its files as they are. */
function recipientsIn(tar: Uint8Array): string {
  const found =
    Buffer.from(tar)
      .toString('latin1')
      .match(/age1[0-9a-z]{58}/g) ?? []
  return [...new Set(found)].sort().join()
}

function trustOf(image: string): Trust {
  const file = join(dirname(image), 'manifest.json')
  const { keys, serial } = parseManifest(readFileSync(file, 'utf8'), file)
  return { signing: keys.signing, serial }
}

interface Place {
  readonly offset: number
  readonly size: number
}

function identityPartitionOf(disk: BlockSource): Place {
  const found = readGpt(disk).find(({ name }) => name === 'identity')
  if (found === undefined) throw new Error('the disk of the machine has no identity partition')
  return found
}

function part(disk: BlockSource, { offset, size }: Place): BlockSource {
  return { size, read: (at, length) => disk.read(offset + at, length) }
}
