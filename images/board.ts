import type { Architecture } from './architecture.ts'

/** A kind of hardware. Comments beside the values name the sources of these values. */
export interface Board {
  readonly name: 'raspberry-pi-5'
  readonly architecture: Architecture
  /** The number of processor cores. */
  readonly cores: number
  /** The device trees: file name that the firmware looks for -> device tree in the kernel's packages. */
  readonly deviceTrees: Readonly<Record<string, string>>
  /** The file name of the kernel that the firmware looks for. */
  readonly kernel: string
  /** The longest timeout of the hardware watchdog, in seconds. */
  readonly watchdogSeconds: number
  /** Who may read the images: `owner` if they contain unencrypted keys. `publish` refuses such images. */
  readonly readers: 'anyone' | 'owner'
}

export const BOARDS: Readonly<Record<Board['name'], Board>> = {
  'raspberry-pi-5': {
    name: 'raspberry-pi-5',
    architecture: 'arm64',
    // Four Cortex-A76.
    cores: 4,
    // The steppings C0/C1 and D0 need different device trees: with the wrong device tree, the kernel panics within
    // seconds. The device tree of D0 has two names. If these files are missing, the firmware uses its own device trees,
    // with which a mainline kernel has neither Ethernet nor USB.
    deviceTrees: {
      'bcm2712-rpi-5-b.dtb': 'broadcom/bcm2712-rpi-5-b.dtb',
      'bcm2712-d-rpi-5-b.dtb': 'broadcom/bcm2712-d-rpi-5-b.dtb',
      'bcm2712d0-rpi-5-b.dtb': 'broadcom/bcm2712-d-rpi-5-b.dtb',
    },
    kernel: 'kernel_2712.img',
    // bcm2835_wdt has a 20-bit counter at 65536 Hz, which wraps around after 16 s.
    watchdogSeconds: 15,
    readers: 'anyone',
  },
}
