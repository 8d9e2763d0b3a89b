/** The state that survives a reset, but not a power cut. */
export interface FirmwareState {
  /** The one-shot flag that makes the next boot a trial. */
  readonly tryboot: 'armed' | 'clear'
  /** The partition that `reboot N` requested. */
  readonly partition: number | undefined
  /**
   * The number of starts since the power came on, modulo 256: `boot_count` in raspberrypi/documentation,
   * config_txt/conditional.adoc. The firmware increments it at each start.
   */
  readonly bootCount: number
}

export const POWER_ON: FirmwareState = { tryboot: 'clear', partition: undefined, bootCount: 0 }

/** The board, its EEPROM and the settings of the EEPROM. */
export interface FirmwareSettings {
  /** The SoC's stepping, which decides the device tree that the firmware looks for. */
  readonly stepping: 'c1' | 'd0'
  /** The EEPROM setting PARTITION_WALK, which is on by default since the EEPROM of 2025-08-13. */
  readonly partitionWalk: 'on' | 'off'
  /** Revision and build time (seconds since 1970) of the EEPROM, as the device tree shows them. */
  readonly version: string
  readonly buildTime: number
}

/** The emulated EEPROM: hangar follows the documentation of the default release of 2026-05-26. */
export const CURRENT_EEPROM: FirmwareSettings = {
  stepping: 'c1',
  partitionWalk: 'on',
  version: 'hangar-emulation',
  buildTime: Date.UTC(2026, 4, 26) / 1000,
}
