import { UserError } from '../../errors.ts'
import type { KernelFiles } from '../../flash/disk/block-device.ts'
import { confirm, type Terminal } from '../../flash/disk/confirm.ts'
import { hasDataVolume } from '../../flash/disk/data-volume.ts'
import { withOpenDisk } from '../../flash/disk/disk.ts'
import { cutsOf, type DataFate, planDiskWrite } from '../../flash/disk/plan.ts'
import { cutImage, openSourceImage, type SourceImage } from '../../flash/disk/source-image.ts'
import { type DiskHost, describeTarget, findTarget, type Target } from '../../flash/disk/target.ts'
import { sizeOf, writeDisk } from '../../flash/disk/write-disk.ts'
import type { Trust } from '../../images/identity/members.ts'
import { identityPartition } from '../../images/identity/partition.ts'
import { type Layout, layoutOnDisk } from '../../images/layout.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import type { Progress } from '../../lib/reporter.ts'

/** The tar of a host's identity for the keys that it is to trust; undefined where none was made. */
export type IdentityTar = (trust: Trust) => Promise<Uint8Array | undefined>

export interface FirstFlashOptions {
  readonly host: DiskHost
  /** `out/HOST`, where the build left its files. */
  readonly output: string
  /** A disk, or a file, which is made where it is missing. */
  readonly disk: string
  /** `without`: the host makes its identity itself, at first boot. */
  readonly identity: IdentityTar | 'without'
  readonly data: DataFate
  /** `yes`: nothing is asked. */
  readonly confirmation: 'ask' | 'yes'
  readonly terminal: Terminal
  readonly progress: Progress
  readonly signal?: AbortSignal | undefined
  readonly kernelFiles?: KernelFiles
}

/** Writes a host's whole disk: table for its real size, system in slot a, identity. The text to end with. */
export async function firstFlash(options: FirstFlashOptions): Promise<string> {
  const { host, output, progress, signal } = options
  const image = openSourceImage(host, output)
  const target = findTarget(options.disk, host, options.kernelFiles)
  const layout = layoutOnDisk(host.slotSize, target.size)
  const data = checkedFate(options, target, layout)
  const identity = await identityOf(options, image)
  await ask(options, target, data)
  const begun = performance.now()
  const pieces = await cutImage(image, cutsOf(layout))
  const plan = planDiskWrite({ host: host.name, layout, image: pieces, identity, data: options.data })
  await withOpenDisk(target, (disk) => writeDisk(disk, plan, { image: image.file, progress, signal }))
  const written = formatSize(sizeOf([...plan.unbootable, ...plan.bootable]))
  return closing(options, `${written} in ${formatDuration((performance.now() - begun) / 1000)}`)
}

/** Whether there is a data volume where this host's would be; one that shall be kept has to be there. */
function checkedFate({ host, data, disk }: FirstFlashOptions, target: Target, layout: Layout): 'there' | 'none' {
  const found = hasDataVolume(target, layout) ? 'there' : 'none'
  if (data === 'format' || found === 'there') return found
  throw new UserError(
    'usage',
    `cannot keep the data on '${disk}': there is none where ${host.name} would look for it`,
    {
      hint: "without '--keep-data' a new data volume is made at first boot",
    },
  )
}

async function identityOf({ identity, host, progress }: FirstFlashOptions, { manifest }: SourceImage) {
  if (manifest.signature === 'unsigned')
    progress.notice(`the image is unsigned: ${host.name} will trust nobody's updates over the network`)
  if (identity === 'without') return undefined
  const tar = await identity({ signing: manifest.keys.signing, serial: manifest.serial })
  if (tar !== undefined) return identityPartition(tar)
  throw new UserError('key', `${host.name} has no identity that could be written to its disk`, {
    hint: `make it: npm run init ${host.name}; with '--without-identity' the host makes one itself, at first boot`,
  })
}

async function ask(options: FirstFlashOptions, target: Target, data: 'there' | 'none'): Promise<void> {
  const { confirmation, host, terminal, signal } = options
  if (confirmation === 'yes') return
  const kept = options.data === 'keep' ? ' but the data volume' : ''
  const lines = [
    ...describeTarget(target),
    ...(data === 'there' && options.data === 'format' ? [`its data volume goes too: '--keep-data' keeps it`] : []),
    `everything on it${kept} is replaced by ${host.name}`,
  ]
  await confirm({ lines, answer: host.name, signal }, terminal)
}

function closing({ host, disk, identity }: FirstFlashOptions, written: string): string {
  const ownIdentity = [
    `it makes its identity at first boot and shows the fingerprint on its console; then:`,
    `  npm run init ${host.name} -- --adopt SHA256:…`,
  ]
  return [
    `${host.name}: written to ${disk} and read back, ${written}`,
    ...(identity === 'without' ? ownIdentity : []),
    `next: put it into ${host.name}, switch it on, and: npm run status ${host.name}`,
  ].join('\n')
}
