import { UserError } from '../../errors.ts'
import type { Trust } from '../../images/identity/members.ts'
import { identityPartition } from '../../images/identity/partition.ts'
import { type Layout, layoutOnDisk } from '../../images/layout.ts'
import type { Progress } from '../../lib/reporter.ts'
import type { KernelFiles } from './block-device.ts'
import { hasDataVolume } from './data-volume.ts'
import { withOpenDisk } from './disk.ts'
import { cutsOf, type DataFate, planDiskWrite } from './plan.ts'
import { cutImage, openSourceImage, type SourceImage } from './source-image.ts'
import { type DiskHost, type DiskTarget, findTarget } from './target.ts'
import { sizeOf, writeDisk } from './write-disk.ts'

/** Returns the tar with the host's identity and the given trusted keys; undefined if the host has no identity. */
export type IdentityTar = (trust: Trust) => Promise<Uint8Array | undefined>

export interface HostDiskRequest {
  readonly host: DiskHost
  /** The output directory of the build: `out/HOST`. */
  readonly output: string
  /** The path of a block device or a file. hangar creates a missing file. */
  readonly disk: string
  /** `without`: the host creates its identity at first boot. */
  readonly identity: IdentityTar | 'without'
  readonly data: DataFate
  /**
   * Asks the owner for a confirmation before hangar writes anything; throws to stop. `data` states whether the disk has
   * a data volume.
   */
  readonly approve: (target: DiskTarget, data: 'there' | 'none') => Promise<void>
  readonly progress: Progress
  readonly signal?: AbortSignal | undefined
  readonly kernelFiles?: KernelFiles
}

export interface WrittenDisk {
  readonly bytes: number
  readonly seconds: number
}

/** Writes a host's whole disk and reads it back: partition table, system in slot a, identity. */
export async function writeHostDisk(request: HostDiskRequest): Promise<WrittenDisk> {
  const { host, output, progress, signal } = request
  const image = openSourceImage(host, output)
  const target = findTarget(request.disk, host, request.kernelFiles)
  const layout = layoutOnDisk(host.slotSize, target.size)
  const data = checkedData(request, target, layout)
  const identity = await identityOf(request, image)
  await request.approve(target, data)
  const begun = performance.now()
  const pieces = await cutImage(image, cutsOf(layout))
  const plan = planDiskWrite({ host: host.name, layout, image: pieces, identity, data: request.data })
  await withOpenDisk(target, (disk) => writeDisk(disk, plan, { image: image.file, progress, signal }))
  const bytes = sizeOf([...plan.unbootable, ...plan.bootable])
  return { bytes, seconds: (performance.now() - begun) / 1000 }
}

/**
 * Whether the disk has a data volume at the offset that this host expects. Throws if the user wants to keep the data
 * and there is no such volume.
 */
function checkedData({ host, data, disk }: HostDiskRequest, target: DiskTarget, layout: Layout): 'there' | 'none' {
  const found = hasDataVolume(target, layout) ? 'there' : 'none'
  if (data === 'format' || found === 'there') return found
  throw new UserError(
    'usage',
    `cannot keep the data on '${disk}': it has no data volume at the place for ${host.name}`,
    {
      hint: "leave out '--keep-data'; the host makes a new data volume at first boot",
    },
  )
}

async function identityOf({ identity, host, progress }: HostDiskRequest, { manifest }: SourceImage) {
  if (manifest.signature === 'unsigned')
    progress.notice(`the image is unsigned: ${host.name} will refuse every update over the network`)
  if (identity === 'without') return undefined
  const tar = await identity({ signing: manifest.keys.signing, serial: manifest.serial })
  if (tar !== undefined) return identityPartition(tar)
  throw new UserError('key', `cannot write the disk of ${host.name}: the host has no identity`, {
    hint: `create the identity: npm run init ${host.name}; or let the host create it at first boot: '--without-identity'`,
  })
}
