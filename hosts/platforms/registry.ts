import { pi } from './pi/pi.ts'

/** All platforms. To add one, add its folder next to these and a row here. */
export const PLATFORMS = [pi] as const
