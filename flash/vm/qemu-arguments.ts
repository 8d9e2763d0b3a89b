import { escaped, type Link, linkArguments } from './netdev.ts'

/** The hardware of the emulated machine. Sizes are in bytes. */
export interface Hardware {
  readonly memory: number
  readonly accelerator: 'tcg' | 'kvm'
  readonly link: Link
  /** Raw disk image that the machine writes to. */
  readonly disk: string
  /** Unix socket of QEMU's monitor. */
  readonly control: string
  /** Unix socket behind the guest's port to the firmware. */
  readonly firmwarePort: string
  /** Time of the real-time clock at the start, in UTC: `2026-01-31T12:00:00`. Default: this machine's time. */
  readonly clock?: string | undefined
  /** Raw image of a second disk. */
  readonly secondDisk?: string | undefined
  /** An existing file to which QEMU appends every write and flush of the disk, in the format of Linux' dm-log-writes. */
  readonly writeLog?: string | undefined
}

/** The name of the guest's port to the firmware. */
export const FIRMWARE_PORT = 'hangar.firmware'

/** The files and the command line that the firmware loads. */
export interface Payload {
  readonly kernel: string
  readonly initramfs: string | undefined
  readonly deviceTree: string
  readonly commandLine: string
}

/** Arguments with which QEMU writes the machine's device tree to a file and ends. */
export function dumpArguments(hardware: Pick<Hardware, 'memory' | 'accelerator'>, file: string): string[] {
  return machine(hardware, `,dumpdtb=${escaped(file)}`)
}

/**
 * The arguments that start the machine. Its serial port is QEMU's standard input and output. `memory` is a saved memory
 * file: with this file, the machine continues instead of booting.
 */
export function startArguments(hardware: Hardware, payload: Payload, memory?: string): string[] {
  return [
    ...(memory === undefined ? [] : ['-incoming', `file:${memory}`]),
    ...machine(hardware, ''),
    ...(hardware.writeLog === undefined ? drive('disk', hardware.disk) : loggedDrive(hardware.disk, hardware.writeLog)),
    ...['-device', 'virtio-blk-pci,drive=disk'],
    ...linkArguments(hardware.link),
    ...['-device', 'virtio-rng-pci'],
    ...['-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...['-chardev', `socket,id=firmware,path=${escaped(hardware.firmwarePort)}`],
    ...['-device', 'virtio-serial-pci', '-device', `virtserialport,chardev=firmware,name=${FIRMWARE_PORT}`],
    ...(hardware.secondDisk === undefined ? [] : secondDisk(hardware.secondDisk)),
    ...(hardware.clock === undefined ? [] : ['-rtc', `base=${hardware.clock}`]),
    ...['-kernel', payload.kernel, '-dtb', payload.deviceTree, '-append', payload.commandLine],
    ...(payload.initramfs === undefined ? [] : ['-initrd', payload.initramfs]),
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-qmp', `unix:${escaped(hardware.control)}`],
  ]
}

// The arguments on which the device tree depends. Devices on PCI are not among them, because Linux finds these by
// itself. With -no-reboot a reset ends QEMU, so that the emulated firmware runs again.
function machine({ accelerator, memory }: Pick<Hardware, 'memory' | 'accelerator'>, extra: string): string[] {
  const [interrupts, processor] =
    accelerator === 'kvm'
      ? ['host', ['-accel', 'kvm', '-cpu', 'host']]
      : ['3', ['-accel', 'tcg,thread=multi', '-cpu', 'cortex-a76']]
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...[
      '-M',
      `virt,gic-version=${interrupts}${extra}`,
      ...processor,
      '-smp',
      '2',
      '-m',
      `${Math.floor(memory / 2 ** 20)}M`,
    ],
  ]
}

function drive(id: string, file: string): string[] {
  return ['-drive', `if=none,id=${id},format=raw,discard=unmap,file=${escaped(file)}`]
}

function secondDisk(file: string): string[] {
  return [...drive('second', file), '-device', 'virtio-blk-pci,drive=second']
}

// With log-super-update-interval=1, QEMU counts each entry immediately, so that the log is complete after a power cut
// of the emulated machine. cache.no-flush is safe, because the log does not have to survive a crash of this machine.
function loggedDrive(file: string, log: string): string[] {
  return [
    `driver=file,node-name=disk-file,discard=unmap,filename=${escaped(file)}`,
    'driver=raw,node-name=disk-raw,discard=unmap,file=disk-file',
    `driver=file,node-name=disk-log,cache.no-flush=on,filename=${escaped(log)}`,
    'driver=blklogwrites,node-name=disk,discard=unmap,file=disk-raw,log=disk-log,log-append=on,log-super-update-interval=1',
  ].flatMap((node) => ['-blockdev', node])
}
