/** What survives a reset but not a power cut. */
export interface FirmwareState {
  /** The one-shot flag that a trial is asked for with. */
  readonly tryboot: 'armed' | 'clear'
  /** The partition that `reboot N` asked for. */
  readonly partition: number | undefined
}

export const POWER_ON: FirmwareState = { tryboot: 'clear', partition: undefined }

/** The board, its EEPROM and that one's settings. */
export interface FirmwareSettings {
  /** The SoC's stepping: which device tree the firmware looks for. */
  readonly stepping: 'c1' | 'd0'
  /** PARTITION_WALK: on by default since the EEPROM of 2025-08-13. */
  readonly partitionWalk: 'on' | 'off'
  /** Revision of the EEPROM, and when it was built in seconds since 1970: what the device tree tells of it. */
  readonly version: string
  readonly buildTime: number
}

/** The EEPROM whose documented behaviour is emulated: the default release of 2026-05-26. */
export const CURRENT_EEPROM: FirmwareSettings = {
  stepping: 'c1',
  partitionWalk: 'on',
  version: 'hangar-emulation',
  buildTime: Date.UTC(2026, 4, 26) / 1000,
}
