import { UserError } from '../../errors.ts'
import type { Clock } from '../clock.ts'

/** Attempts in a row without any progress before an update fails. */
export const ATTEMPTS = 6
/** Milliseconds between attempts: together about half a minute, the time that a switch or a router needs to restart. */
export const DELAY = 5000

export function isUnreachable(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'unreachable'
}

/** Repeats work that a broken connection ended. Only for calls that may be made twice. */
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
