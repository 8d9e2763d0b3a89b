import type { Board } from './board.ts'

/** The file name of the initramfs in the boot file system. */
export const INITRAMFS_NAME = 'initramfs.img'

/** The config.txt of both slots (raspberrypi/documentation, config_txt). */
export function configTxt(board: Board): string {
  return [
    '[all]',
    'arm_64bit=1',
    `kernel=${board.kernel}`,
    `initramfs ${INITRAMFS_NAME} followkernel`,
    'auto_initramfs=0',
    // Turns off the firmware's check of the kernel, which accepts only kernels of Raspberry Pi.
    'os_check=0',
    'enable_uart=1',
    'disable_fw_kms_setup=1',
    // Makes the firmware arm the watchdog before Linux starts, so that a kernel that hangs during a trial falls back to
    // the committed slot. The watchdog driver takes over later.
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
  // Makes a kernel reboot after a panic, which ends a trial.
  'panic=10',
  'oops=panic',
  // Makes the kernel panic, and so end a trial, when it cannot execute the initramfs's /init. Otherwise it would start
  // the first of /sbin/init, /bin/init and /bin/sh that exists: a root shell without a password (kernel, init/main.c).
  'init=/init',
  'loglevel=4',
  // Limits huge pages to programs that request them: otherwise each of the many small services would use huge pages.
  'transparent_hugepage=madvise',
]
