import { accessSync, constants, existsSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { IdentityTar } from '../disk/write-host-disk.ts'
import { ownedDirectory, removeAbandoned } from '../owned-directory.ts'
import { copyDisk } from './disk.ts'
import { giveIdentity } from './disk-identity.ts'
import type { FirmwareSettings } from './firmware-state.ts'
import { freePort } from './free-port.ts'
import { type Machine, startMachine } from './machine.ts'
import { type ProgramRoot, programOf } from './program.ts'
import { type HostNetwork, takesForwards } from './subnet.ts'

/** The fields of a host file that describe the machine. Sizes are in bytes. */
export interface VmHost {
  readonly name: string
  readonly memory: number
  readonly disk: number
  readonly network: HostNetwork
}

/** A port of the guest, forwarded from this machine's loopback at `port` or the next free port. */
export interface Forward {
  readonly name: string
  readonly guestPort: number
  readonly port: number
}

export interface VmOptions {
  readonly host: VmHost
  /** The host's disk image, which is copied and never written. Not used if `disk` names a file. */
  readonly image: string
  readonly programs: ProgramRoot
  readonly forwards: readonly Forward[]
  /** The disk of the machine. `kept` is the file `vm.img` beside the image, which the next start uses again. */
  readonly disk: 'throw-away' | 'kept' | { readonly path: string }
  /** The identity for a new copy of the image. Without it, the machine makes its own at first boot. */
  readonly identity?: IdentityTar | undefined
  readonly firmware?: Partial<FirmwareSettings> | undefined
  readonly clock?: string | undefined
  readonly secondDisk?: string | undefined
  readonly writeLog?: string | undefined
  /** The directory of a saved state, as in `MachineOptions`. */
  readonly savedState?: string | undefined
  /** Receives the port of each forward, once, before the machine starts. */
  readonly onPorts?: (ports: Readonly<Record<string, number>>) => void
  readonly onOutput?: (text: string) => void
}

export interface Vm extends Machine {
  /** The raw image that the machine writes to. */
  readonly disk: string
  /** The forwarded ports: name of the forward -> port on 127.0.0.1. None for a host without an IPv4 address. */
  readonly ports: Readonly<Record<string, number>>
}

/** Boots a copy of a host's disk image on emulated hardware with the host's memory and disk size. */
export async function startVm(options: VmOptions): Promise<Vm> {
  const { host, image, programs } = options
  if (typeof options.disk === 'string') requireImage(host.name, image)
  const qemu = programOf(programs, 'qemu-system-aarch64')
  const forwards = takesForwards(host.network) ? options.forwards : []
  const ports = await findPorts(forwards)
  const { disk, discard } = await prepareDisk(options)
  options.onPorts?.(ports)
  const machine = startMachine({
    ...options,
    ...{ qemu, disk, memory: host.memory, network: host.network },
    accelerator: accelerator(programs.architecture),
    forwards: forwards.map(({ name, guestPort }) => ({ guestPort, port: ports[name] ?? 0 })),
  })
  machine.ended.finally(discard).catch(() => undefined)
  return Object.assign(machine, { disk, ports })
}

function requireImage(host: string, image: string): void {
  if (existsSync(image)) return
  throw new UserError('vm', `cannot boot '${host}': '${image}' does not exist`, {
    hint: `build the image: npm run build:image ${host}`,
  })
}

async function prepareDisk({
  image,
  host,
  disk: mode,
  identity,
}: VmOptions): Promise<{ disk: string; discard: () => void }> {
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
  process.once('exit', remove)
  const discard = () => {
    process.off('exit', remove)
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
async function makeDisk({ image, host, identity }: Pick<VmOptions, 'image' | 'host' | 'identity'>, disk: string) {
  const unfinished = `${disk}.new`
  await copyDisk(image, unfinished, host.disk)
  if (identity !== undefined) await giveIdentity(image, unfinished, identity)
  await rename(unfinished, disk)
}

async function findPorts(forwards: readonly Forward[]): Promise<Record<string, number>> {
  const ports: Record<string, number> = {}
  for (const { name, port } of forwards) ports[name] = await freePort(port, new Set(Object.values(ports)))
  return ports
}

/** KVM needs a machine with the guest's architecture. */
function accelerator(architecture: Architecture): 'tcg' | 'kvm' {
  if (architecture !== 'arm64') return 'tcg'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return 'kvm'
  } catch {
    return 'tcg'
  }
}
