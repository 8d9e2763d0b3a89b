import { UserError } from '../../errors.ts'
import type { Clock } from '../clock.ts'

/** Attempts one after the other that bring nothing, before an update is given up. */
export const ATTEMPTS = 6
/** Milliseconds between them: together half a minute and more, as a switch or a router needs to come back. */
export const DELAY = 5000

export function isUnreachable(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'unreachable'
}

/** Does something again that a broken connection ended; only what may be done twice. */
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
