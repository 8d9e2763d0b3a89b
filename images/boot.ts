import type { Board } from './board.ts'

/** Name of the initramfs in the boot file system. */
export const INITRAMFS_NAME = 'initramfs.img'

/** config.txt of both slots (raspberrypi/documentation, config_txt). */
export function configTxt(board: Board): string {
  return [
    '[all]',
    'arm_64bit=1',
    `kernel=${board.kernel}`,
    `initramfs ${INITRAMFS_NAME} followkernel`,
    'auto_initramfs=0',
    // The firmware's check accepts only kernels of Raspberry Pi.
    'os_check=0',
    'enable_uart=1',
    'disable_fw_kms_setup=1',
    // The firmware arms the watchdog before Linux starts, so that a kernel that hangs falls back to the committed slot.
    // The watchdog driver takes over.
    `kernel_watchdog_timeout=${board.watchdogSeconds}`,
    '',
  ].join('\n')
}

/**
 * The kernel command line without the root hash, for boards and for the virtual machine. It has no `console=`: the device
 * tree names the serial console (ttyAMA10 at the Pi 5's debug connector, ttyAMA0 in QEMU). If the command line had both
 * names, the kernel would use only the first one, even if that console does not exist. The screen is a console anyway.
 */
export const KERNEL_ARGUMENTS: readonly string[] = [
  // A kernel that panics reboots, which ends a trial.
  'panic=10',
  'oops=panic',
  'loglevel=4',
  // There are many small services. Without madvise, each of them would use huge pages that it did not ask for.
  'transparent_hugepage=madvise',
]
