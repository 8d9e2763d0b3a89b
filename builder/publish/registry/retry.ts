import { TIMING, type Timing, waitAfter } from '../../../lib/backoff.ts'
import { TransferError } from '../../../lib/http.ts'

export interface RetryOptions {
  /** The longest wait before the second try, in milliseconds. It doubles for each later try. */
  readonly backoff: number
  readonly timing?: Timing
  readonly signal: AbortSignal
  /** Called with the error before each retry. */
  readonly onRetry: (reason: string) => void
}

/** The number of tries without progress before hangar gives up. */
const TRIES = 5

/**
 * Retries transient errors, not before the time that the server's Retry-After names. A try that makes progress (`reached`
 * grows) resets the count of failures.
 */
export async function withRetries<T>(
  { backoff, timing = TIMING, signal, onRetry }: RetryOptions,
  attempt: () => Promise<T>,
  reached: () => number = () => 0,
): Promise<T> {
  let [failures, furthest] = [0, reached()]
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransferError && error.isTransient)) throw error
      failures = reached() > furthest ? 1 : failures + 1
      furthest = Math.max(furthest, reached())
      if (failures === TRIES) throw error
      onRetry(error.message)
      await timing.sleep(waitAfter(failures, backoff, timing, error.retryAfter), signal)
    }
  }
}
