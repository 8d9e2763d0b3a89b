import type { Architecture } from './architecture.ts'

/** A kind of hardware. The sources of the facts stand beside them. */
export interface Board {
  readonly name: 'raspberry-pi-5'
  readonly architecture: Architecture
  /** Names that the firmware looks for -> device trees in the kernel's packages. */
  readonly deviceTrees: Readonly<Record<string, string>>
  /** The name under which the firmware looks for the kernel. */
  readonly kernel: string
  /** The longest time in seconds that the watchdog can be set to. */
  readonly watchdogSeconds: number
  /** Who may read its images: `owner` where they hold keys in the clear, so that they are never published. */
  readonly readers: 'anyone' | 'owner'
}

export const BOARDS: Readonly<Record<Board['name'], Board>> = {
  'raspberry-pi-5': {
    name: 'raspberry-pi-5',
    architecture: 'arm64',
    // C0/C1 and D0 steppings differ; given the other's tree a board panics in seconds. Under these names the firmware
    // takes the kernel's own trees (D0 goes by two): with those it brings, a mainline kernel has neither Ethernet nor USB.
    deviceTrees: {
      'bcm2712-rpi-5-b.dtb': 'broadcom/bcm2712-rpi-5-b.dtb',
      'bcm2712-d-rpi-5-b.dtb': 'broadcom/bcm2712-d-rpi-5-b.dtb',
      'bcm2712d0-rpi-5-b.dtb': 'broadcom/bcm2712-d-rpi-5-b.dtb',
    },
    kernel: 'kernel_2712.img',
    // bcm2835_wdt: a 20-bit counter at 65536 Hz; more than 15 s wraps around.
    watchdogSeconds: 15,
    readers: 'anyone',
  },
}
