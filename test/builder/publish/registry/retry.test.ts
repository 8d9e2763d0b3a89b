import { describe, expect, it } from 'vitest'
import { withRetries } from '../../../../builder/publish/registry/retry.ts'
import { LONGEST_RETRY_AFTER } from '../../../../lib/backoff.ts'
import { TransferError } from '../../../../lib/http.ts'
import { fakeTiming } from '../../../helpers/fake-timing.ts'

const busy = (retryAfter?: number) => new TransferError('broken', 'HTTP 503', { status: 503, retryAfter })

/** Fails with each error in turn, then succeeds. Returns the waits. */
async function waitsFor(errors: readonly Error[]): Promise<number[]> {
  const timing = fakeTiming()
  const left = [...errors]
  const signal = new AbortController().signal
  const attempt = async () => {
    const error = left.shift()
    if (error !== undefined) throw error
    return 'done'
  }
  expect(await withRetries({ backoff: 1000, timing, signal, onRetry: () => undefined }, attempt)).toBe('done')
  return timing.sleeps
}

describe('withRetries', () => {
  it('waits longer after each failure', async () => {
    expect(await waitsFor([busy(), busy(), busy()])).toEqual([750, 1500, 3000])
  })

  it("waits for the registry's Retry-After, up to a limit", async () => {
    expect(await waitsFor([busy(10_000), busy(3_600_000)])).toEqual([10_000, LONGEST_RETRY_AFTER])
  })

  it('does not retry an answer that would not change', async () => {
    await expect(waitsFor([new TransferError('refused', 'HTTP 403', { status: 403 })])).rejects.toThrow('HTTP 403')
  })
})
