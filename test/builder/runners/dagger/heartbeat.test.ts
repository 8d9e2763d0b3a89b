import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { RHYTHM, startHeartbeat, type Watched } from '../../../../builder/runners/dagger/heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
})

function heartOf(watched: Partial<Watched>) {
  const lost: number[] = []
  const ask = vi.fn(watched.ask ?? (() => new Promise(() => undefined)))
  const heart = startHeartbeat(
    { ask, moved: watched.moved ?? (() => false), lost: (silence) => lost.push(silence) },
    RHYTHM,
  )
  onTestFinished(heart.end)
  const beats = (count: number) => vi.advanceTimersByTimeAsync(count * RHYTHM.tick)
  return { heart, lost, ask, beats }
}

describe('startHeartbeat', () => {
  it('an engine is lost once, after a silence of a few seconds', async () => {
    const { lost, beats } = heartOf({})
    await beats(RHYTHM.patience - 1)
    expect(lost).toEqual([])
    await beats(100)
    expect(lost).toEqual([12_000])
  })

  it('an engine that answers is never lost, and is asked only when it is quiet', async () => {
    const { lost, ask, beats } = heartOf({ ask: async () => 'v0.21.9' })
    await beats(300)
    expect(lost).toEqual([])
    expect(ask).toHaveBeenCalledTimes(100)
  })

  it('an engine that moves data is not asked', async () => {
    const { lost, ask, beats } = heartOf({ moved: () => true })
    await beats(300)
    expect({ lost, asked: ask.mock.calls.length }).toEqual({ lost: [], asked: 0 })
  })

  it('asks one query at a time', async () => {
    const { ask, beats } = heartOf({})
    await beats(RHYTHM.patience - 1)
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('an engine that refuses every query is lost as well', async () => {
    const { lost, beats } = heartOf({ ask: async () => Promise.reject(new Error('refused')) })
    await beats(100)
    expect(lost).toHaveLength(1)
  })

  it('any answer counts, and nothing is lost after the end', async () => {
    const { heart, lost, beats } = heartOf({})
    await beats(RHYTHM.patience - 1)
    heart.heard()
    await beats(RHYTHM.patience - 1)
    heart.end()
    await beats(100)
    expect(lost).toEqual([])
  })
})
