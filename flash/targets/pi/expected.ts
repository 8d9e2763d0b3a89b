import type { Slot } from '../../../images/names.ts'
import type { DeviceStatus } from '../../ssh/status.ts'

/** One start of a slot that is armed. */
export interface Expected {
  readonly id: string
  readonly slot: Slot
  readonly root: string
  /** What the host ran, and goes back to. */
  readonly before: DeviceStatus
  /** What the trial has on the host's own clock. */
  readonly seconds: number
}
