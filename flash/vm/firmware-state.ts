/** What survives a reset but not a power cut. */
export interface FirmwareState {
  /** The one-shot flag that a trial is asked for with. */
  readonly tryboot: 'armed' | 'clear'
  /** The partition that `reboot N` asked for. */
  readonly partition: number | undefined
}

export const POWER_ON: FirmwareState = { tryboot: 'clear', partition: undefined }

/** The board and its EEPROM's settings. */
export interface FirmwareSettings {
  /** The SoC's stepping: which device tree the firmware looks for. */
  readonly stepping: 'c1' | 'd0'
  /** PARTITION_WALK: on by default since the EEPROM of 2025-08-13. */
  readonly partitionWalk: 'on' | 'off'
}

export const CURRENT_EEPROM: FirmwareSettings = { stepping: 'c1', partitionWalk: 'on' }
