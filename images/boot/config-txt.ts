import type { Board } from '../board.ts'

export const INITRAMFS_NAME = 'initramfs.img'

/** What the firmware is told; the same bytes for both slots (raspberrypi/documentation, config_txt). */
export function configTxt(board: Board): string {
  return [
    '[all]',
    'arm_64bit=1',
    `kernel=${board.kernel}`,
    `initramfs ${INITRAMFS_NAME} followkernel`,
    'auto_initramfs=0',
    // The firmware's own check knows Raspberry Pi's kernels only.
    'os_check=0',
    'enable_uart=1',
    'disable_fw_kms_setup=1',
    // Armed before Linux starts, so that a kernel that hangs ends on the committed slot; the driver takes it over.
    `kernel_watchdog_timeout=${board.watchdogSeconds}`,
    '',
  ].join('\n')
}
