import type { Board } from '../../images/board.ts'
import { piDriver } from './pi/target.ts'
import type { TargetDriver } from './target.ts'

/** The driver of each board. A new platform adds its folder beside `pi/`, and its boards here. */
const DRIVERS: Readonly<Record<Board['name'], TargetDriver>> = {
  'raspberry-pi-5': piDriver,
}

export function driverOf(board: Board['name']): TargetDriver {
  return DRIVERS[board]
}
