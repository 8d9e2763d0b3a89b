import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Program } from './program.ts'
import { type Hardware, type Payload, startArguments } from './qemu-arguments.ts'

/** One start of a kernel, as far as a machine that goes on from a saved state must know it. */
interface SavedStart {
  readonly partition: number
  readonly tryboot: boolean
}

/** A running machine on disk, but for its disk image, which the caller copies after the machine has ended. */
export interface SavedState {
  /** QEMU's file with the memory and the devices. */
  readonly memory: string
  readonly payload: Payload
  readonly starts: readonly SavedStart[]
  /** Text of the serial console up to here. */
  readonly console: string
}

const FORMAT = 1
const KERNEL = 'kernel'
const INITRAMFS = 'initramfs'
const DEVICE_TREE = 'device-tree.dtb'

/** Returns the file for the memory in a directory for a saved state. */
export function memoryFile(directory: string): string {
  return join(directory, 'memory')
}

/** Writes everything beside the memory. The description is written last: without it there is no saved state. */
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

/** Throws an error if another QEMU or other arguments saved the state: such a state must not be used. */
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

// QEMU's path has the digest of its packages in it. Paths and ports of this machine are no part of the guest's state.
function machineDigest(qemu: Program, hardware: Hardware): string {
  const anywhere = { disk: 'disk', control: 'control', firmwarePort: 'firmware' }
  const forwards = hardware.forwards.map(({ guestPort }) => ({ guestPort, port: 0 }))
  const payload = { kernel: KERNEL, initramfs: INITRAMFS, deviceTree: DEVICE_TREE, commandLine: '' }
  const args = startArguments({ ...hardware, ...anywhere, forwards }, payload)
  return createHash('sha256')
    .update(JSON.stringify([qemu.file, qemu.args, args]))
    .digest('hex')
}
