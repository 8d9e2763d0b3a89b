import { existsSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { atExit } from '../../lib/at-exit.ts'
import type { IdentityTar } from '../disk/write-host-disk.ts'
import { ownedDirectory, removeAbandoned } from '../owned-directory.ts'
import { copyDisk } from './disk.ts'
import { giveIdentity } from './disk-identity.ts'

/** The disk of a machine. `kept` is the file `vm.img` beside the image, which the next start uses again. */
export type DiskMode = 'throw-away' | 'kept' | { readonly path: string }

export interface MachineDisk {
  /** The raw image that the machine writes to. */
  readonly disk: string
  /** Deletes a disk that is thrown away. */
  discard(): void
}

interface DiskOptions {
  readonly host: { readonly name: string; readonly disk: number }
  readonly image: string
  readonly disk: DiskMode
  /** The identity for a new copy of the image. Without it, the machine makes its own at first boot. */
  readonly identity?: IdentityTar | undefined
}

/** Copies the image of a host to a disk of the host's size, unless the machine uses a disk that exists. */
export async function prepareDisk({ image, host, disk: mode, identity }: DiskOptions): Promise<MachineDisk> {
  if (typeof mode === 'object') return { disk: mode.path, discard: () => undefined }
  const directory = dirname(image)
  removeAbandoned(directory)
  if (mode === 'kept') {
    const disk = join(directory, 'vm.img')
    if (!existsSync(disk)) await makeDisk({ image, host, identity }, disk)
    return { disk, discard: () => undefined }
  }
  // Puts the copy beside the image, because a copy on the same file system can share the blocks.
  const temporary = ownedDirectory(directory)
  const disk = join(temporary, 'disk.img')
  const remove = () => rmSync(temporary, { recursive: true, force: true })
  const cancel = atExit(remove)
  const discard = () => {
    cancel()
    remove()
  }
  try {
    await makeDisk({ image, host, identity }, disk)
  } catch (error) {
    discard()
    throw error
  }
  return { disk, discard }
}

/** Puts the disk in its place when it is complete. */
async function makeDisk({ image, host, identity }: Omit<DiskOptions, 'disk'>, disk: string): Promise<void> {
  const unfinished = `${disk}.new`
  await copyDisk(image, unfinished, host.disk)
  if (identity !== undefined) await giveIdentity(image, unfinished, identity)
  await rename(unfinished, disk)
}

/** Throws a UserError if a machine needs the image of a host that is not built. */
export function requireImage(host: string, image: string): void {
  if (existsSync(image)) return
  throw new UserError('vm', `cannot boot '${host}': '${image}' does not exist`, {
    hint: `build the image: npm run build:image ${host}`,
  })
}
