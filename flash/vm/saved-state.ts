import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Link } from './netdev.ts'
import type { Program } from './program.ts'
import { type Hardware, type Payload, startArguments } from './qemu-arguments.ts'

/** The facts about one start of a kernel that a resumed machine needs. */
interface SavedStart {
  readonly partition: number
  readonly tryboot: boolean
}

/** A saved running machine, without its disk image, which the caller copies after the machine has ended. */
export interface SavedState {
  /** The path of QEMU's file with the memory and the devices. */
  readonly memory: string
  readonly payload: Payload
  readonly starts: readonly SavedStart[]
  /** The text of the serial console until the save. */
  readonly console: string
}

const FORMAT = 1
const KERNEL = 'kernel'
const INITRAMFS = 'initramfs'
const DEVICE_TREE = 'device-tree.dtb'

/** The path of the memory file in the directory of a saved state. */
export function memoryFile(directory: string): string {
  return join(directory, 'memory')
}

/**
 * Writes everything except the memory. Writes the description last, because a directory without a description is not a
 * saved state.
 */
export async function writeSavedState(
  directory: string,
  machine: { readonly qemu: Program; readonly hardware: Hardware } & Omit<SavedState, 'memory'>,
): Promise<void> {
  const { qemu, hardware, payload, starts } = machine
  await copyFile(payload.kernel, join(directory, KERNEL))
  await copyFile(payload.deviceTree, join(directory, DEVICE_TREE))
  if (payload.initramfs !== undefined) await copyFile(payload.initramfs, join(directory, INITRAMFS))
  const description = {
    format: FORMAT,
    machine: machineDigest(qemu, hardware),
    commandLine: payload.commandLine,
    starts,
    console: machine.console,
  }
  const file = descriptionFile(directory)
  await writeFile(`${file}.part`, JSON.stringify(description))
  await rename(`${file}.part`, file)
}

/** Throws if another QEMU or other arguments saved the state, because QEMU could not resume it correctly. */
export function readSavedState(directory: string, qemu: Program, hardware: Hardware): SavedState {
  const found = JSON.parse(readFileSync(descriptionFile(directory), 'utf8'))
  if (found.format !== FORMAT || found.machine !== machineDigest(qemu, hardware))
    throw new Error(`the state in '${directory}' was saved by another QEMU, with other arguments or in another format`)
  const initramfs = join(directory, INITRAMFS)
  return {
    memory: memoryFile(directory),
    payload: {
      kernel: join(directory, KERNEL),
      initramfs: existsSync(initramfs) ? initramfs : undefined,
      deviceTree: join(directory, DEVICE_TREE),
      commandLine: found.commandLine,
    },
    starts: found.starts,
    console: found.console,
  }
}

function descriptionFile(directory: string): string {
  return join(directory, 'machine.json')
}

// Identifies QEMU and its arguments. The path of QEMU contains the digest of its packages. Leaves out paths and ports
// of this machine, which do not affect the guest.
function machineDigest(qemu: Program, hardware: Hardware): string {
  const anywhere = { disk: 'disk', control: 'control', firmwarePort: 'firmware' }
  const link = linkAnywhere(hardware.link)
  const payload = { kernel: KERNEL, initramfs: INITRAMFS, deviceTree: DEVICE_TREE, commandLine: '' }
  const args = startArguments({ ...hardware, ...anywhere, link }, payload)
  return createHash('sha256')
    .update(JSON.stringify([qemu.file, qemu.args, args]))
    .digest('hex')
}

function linkAnywhere(link: Link): Link {
  if (link.kind === 'switch') return { ...link, socket: 'switch' }
  return { ...link, forwards: link.forwards.map(({ guestPort }) => ({ guestPort, port: 0 })) }
}
