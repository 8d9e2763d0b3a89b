import { describe, expect, it } from 'vitest'
import { BUSY_TRIES, Health, SILENT_TRIES } from '../../../../../builder/sources/debian/archive/health.ts'
import { TransferError } from '../../../../../lib/http.ts'
import { fakeTiming } from '../../../../helpers/fake-timing.ts'

const BASE = 'http://mirror.test/debian'
const SILENT = new TransferError('unreachable', 'no answer')
const BUSY = new TransferError('broken', 'HTTP 503', { status: 503 })

function setting() {
  const timing = fakeTiming()
  const health = new Health(timing, 500)
  /** Waits until the server may be asked. */
  const pause = async () => {
    const readiness = health.readiness(BASE)
    if (typeof readiness === 'object') await timing.sleep(readiness.until - timing.now(), undefined)
  }
  const fail = async (error: TransferError) => {
    await pause()
    health.ask(BASE).failed(error)
  }
  return { timing, health, pause, fail }
}

describe('Health', () => {
  it.each([
    ['without an answer', SILENT, SILENT_TRIES],
    ['with HTTP 503', BUSY, BUSY_TRIES],
  ])('abandons a server after some failures in a row %s', async (_, error, tries) => {
    const { health, fail } = setting()
    for (let count = 1; count < tries; count += 1) await fail(error)
    expect([health.readiness(BASE) === 'dead', health.abandoned(BASE)]).toEqual([false, undefined])
    await fail(error)
    // Files that were never asked for report the server's own reason.
    expect([health.readiness(BASE), health.abandoned(BASE)]).toEqual(['dead', error])
  })

  it('counts the failures of requests that ran at the same time once', async () => {
    const { health } = setting()
    const together = Array.from({ length: 16 }, () => health.ask(BASE))
    for (const asked of together) asked.failed(SILENT)
    expect(health.readiness(BASE)).toMatchObject({ until: expect.any(Number) })
  })

  it('lets one request through after a pause, and all after its answer', async () => {
    const { health, pause } = setting()
    health.ask(BASE).failed(BUSY)
    await pause()
    expect(health.readiness(BASE)).toBe('now')
    const probe = health.ask(BASE)
    expect(health.readiness(BASE)).toEqual({ until: Number.POSITIVE_INFINITY })
    probe.answered()
    expect(health.readiness(BASE)).toBe('now')
  })

  it('lets another request through when the first one ended without an answer', async () => {
    const { health, pause } = setting()
    health.ask(BASE).failed(BUSY)
    await pause()
    health.ask(BASE).ended()
    expect(health.readiness(BASE)).toBe('now')
  })

  it('does not end a pause for the answer to an earlier request', () => {
    const { health } = setting()
    const [earlier, failing] = [health.ask(BASE), health.ask(BASE)]
    failing.failed(BUSY)
    earlier.answered()
    expect(health.readiness(BASE)).toMatchObject({ until: expect.any(Number) })
  })

  it('starts the count again after a success', async () => {
    const { health, fail, pause } = setting()
    for (let round = 0; round < SILENT_TRIES * 2; round += 1) {
      await fail(SILENT)
      await pause()
      health.ask(BASE).answered()
    }
    expect(health.readiness(BASE)).toBe('now')
  })

  it('keeps the states of servers apart', () => {
    const { health } = setting()
    health.ask(BASE).failed(BUSY)
    expect(health.readiness('http://other.test/debian')).toBe('now')
  })
})
