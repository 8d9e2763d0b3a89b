import { accessSync, constants } from 'node:fs'
import type { Architecture } from '../../images/architecture.ts'
import type { IdentityTar } from '../disk/write-host-disk.ts'
import type { FirmwareSettings } from './firmware-state.ts'
import { freePort } from './free-port.ts'
import { type Machine, type MachineEnding, startMachine } from './machine.ts'
import { type DiskMode, type MachineDisk, prepareDisk, requireImage } from './machine-disk.ts'
import type { ForwardedPort, Link } from './netdev.ts'
import { type Program, type ProgramRoot, programOf } from './program.ts'
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
  readonly disk: DiskMode
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
  /** Receives the reason why the machine is off, once. */
  readonly onEnd?: (ending: MachineEnding | 'failed') => void
}

export interface Vm extends Machine {
  /** The raw image that the machine writes to. */
  readonly disk: string
  /** The forwarded ports: name of the forward -> port on 127.0.0.1. None for a host without an IPv4 address. */
  readonly ports: Readonly<Record<string, number>>
}

/** Boots a copy of a host's disk image on emulated hardware with the host's memory and disk size. */
export async function startVm(options: VmOptions): Promise<Vm> {
  const prepared = await prepareVm(options, new Set())
  const { ports, forwards } = prepared
  options.onPorts?.(ports)
  return startPrepared(prepared, { kind: 'alone', network: options.host.network, forwards })
}

/** A machine before its start: its disk is copied, and its ports are chosen. */
export interface PreparedVm extends MachineDisk {
  readonly options: VmOptions
  readonly qemu: Program
  readonly ports: Vm['ports']
  readonly forwards: readonly ForwardedPort[]
}

/** Copies the disk, and chooses ports that are free and not in `taken`. */
export async function prepareVm(options: VmOptions, taken: ReadonlySet<number>): Promise<PreparedVm> {
  const { host, programs } = options
  requireOwnImage(options)
  const qemu = programOf(programs, 'qemu-system-aarch64')
  const wanted = takesForwards(host.network) ? options.forwards : []
  const ports = await findPorts(wanted, taken)
  const forwards = wanted.map(({ name, guestPort }) => ({ guestPort, port: ports[name] ?? 0 }))
  return { ...(await prepareDisk(options)), options, qemu, ports, forwards }
}

/** Throws a UserError if the machine's disk is a copy of an image that does not exist. */
export function requireOwnImage({ host, image, disk }: VmOptions): void {
  if (typeof disk === 'string') requireImage(host.name, image)
}

/** Starts a prepared machine, and deletes its disk when it has ended if the disk is thrown away. */
export function startPrepared({ options, qemu, ports, disk, discard }: PreparedVm, link: Link): Vm {
  const { host, programs } = options
  const machine = startMachine({
    ...options,
    ...{ qemu, disk, link, memory: host.memory, accelerator: accelerator(programs.architecture) },
  })
  const end = (ending: MachineEnding | 'failed') => {
    discard()
    options.onEnd?.(ending)
  }
  machine.ended.then(end, () => end('failed'))
  return Object.assign(machine, { disk, ports })
}

async function findPorts(forwards: readonly Forward[], taken: ReadonlySet<number>): Promise<Record<string, number>> {
  const ports: Record<string, number> = {}
  for (const { name, port } of forwards)
    ports[name] = await freePort(port, new Set([...taken, ...Object.values(ports)]))
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
