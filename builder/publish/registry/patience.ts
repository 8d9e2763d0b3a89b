import { setTimeout as sleep } from 'node:timers/promises'
import { TransferError } from '../../../lib/http.ts'

export interface Persistence {
  /** Milliseconds before the second try; doubled for each one after it. */
  readonly backoff: number
  readonly signal: AbortSignal
  /** Told why something is tried again. */
  readonly onRetry: (reason: string) => void
}

/** How often something is tried that gets no further. */
const TRIES = 5
const TRANSIENT: readonly TransferError['kind'][] = ['broken', 'slow', 'unreachable']

/** Tries until it works, as long as each try gets further than the one before or has not failed too often. */
export async function persistently<T>(
  { backoff, signal, onRetry }: Persistence,
  attempt: () => Promise<T>,
  reached: () => number = () => 0,
): Promise<T> {
  let [failures, furthest] = [0, reached()]
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransferError && TRANSIENT.includes(error.kind))) throw error
      failures = reached() > furthest ? 1 : failures + 1
      furthest = Math.max(furthest, reached())
      if (failures === TRIES) throw error
      onRetry(error.message)
      await sleep(backoff * 2 ** (failures - 1), undefined, { signal })
    }
  }
}
