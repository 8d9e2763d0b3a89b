import { UserError } from '../../errors.ts'
import type { Clock } from '../clock.ts'

/** The number of consecutive attempts without progress after which an update fails. */
export const ATTEMPTS = 6
/**
 * The wait between attempts, in milliseconds. All attempts together take about half a minute, in which a switch or a
 * router can restart.
 */
export const DELAY = 5000

export function isUnreachable(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'unreachable'
}

/** Repeats work after a broken connection. Only for calls that are safe to repeat. */
export async function persistently<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isUnreachable(error) || attempt === ATTEMPTS) throw error
      await clock.sleep(DELAY)
    }
  }
}
