import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { allEnded, forEachAtOnce, limiter, stopWith } from '../../lib/worker-pool.ts'

/** Counts how many tasks run at the same time. */
function counter() {
  let running = 0
  const state = { most: 0, done: [] as number[] }
  const work = async (item: number) => {
    running += 1
    state.most = Math.max(state.most, running)
    await sleep(2)
    running -= 1
    state.done.push(item)
  }
  return { state, work, running: () => running }
}

const ITEMS = [1, 2, 3, 4, 5, 6, 7]

describe('forEachAtOnce', () => {
  it('works once on every item, and at the same time on as many items as there are workers', async () => {
    const { state, work } = counter()
    await forEachAtOnce(ITEMS, { workers: 3, stop: stopWith(undefined) }, work)
    expect(state.done.sort()).toEqual(ITEMS)
    expect(state.most).toBe(3)
  })

  it('resolves if there are no items', async () => {
    await forEachAtOnce([], { workers: 3, stop: stopWith(undefined) }, () => Promise.reject(new Error('no item')))
  })

  it('starts no item after the first failure, and rejects with that failure', async () => {
    const begun: number[] = []
    const work = async (item: number) => {
      begun.push(item)
      await sleep(item)
      throw new Error(`item ${item}`)
    }
    await expect(forEachAtOnce(ITEMS, { workers: 2, stop: stopWith(undefined) }, work)).rejects.toThrow('item 1')
    expect(begun).toEqual([1, 2])
  })

  it('aborts the signal of the other items, and waits until their work has ended', async () => {
    const stop = stopWith(undefined)
    let ended = 0
    const work = async (item: number) => {
      if (item === 1) throw new Error('item 1')
      await sleep(60_000, undefined, { signal: stop.signal }).catch(() => undefined)
      await sleep(5)
      ended += 1
    }
    await expect(forEachAtOnce([1, 2, 3], { workers: 3, stop }, work)).rejects.toThrow('item 1')
    expect(ended).toBe(2)
  })

  it("rejects with the reason of the caller's signal", async () => {
    const owner = new AbortController()
    const work = async (item: number) => {
      if (item === 2) owner.abort(new Error('Ctrl-C'))
    }
    await expect(forEachAtOnce(ITEMS, { workers: 1, stop: stopWith(owner.signal) }, work)).rejects.toThrow('Ctrl-C')
    const begun: number[] = []
    const late = forEachAtOnce(
      ITEMS,
      { workers: 2, stop: stopWith(owner.signal) },
      async (item) => void begun.push(item),
    )
    await expect(late).rejects.toThrow('Ctrl-C')
    expect(begun).toEqual([])
  })
})

describe('limiter', () => {
  it('runs at most the given number of tasks at a time, and returns the result of each task', async () => {
    const { state, work } = counter()
    const limited = limiter(2)
    const results = await Promise.all(ITEMS.map((item) => limited(() => work(item).then(() => item * 2))))
    expect(results).toEqual(ITEMS.map((item) => item * 2))
    expect(state.most).toBe(2)
    expect(state.done).toEqual(ITEMS)
  })

  it('starts the next task after a failure', async () => {
    const limited = limiter(1)
    const failing = limited(() => Promise.reject(new Error('first')))
    const next = limited(() => Promise.resolve('second'))
    await expect(failing).rejects.toThrow('first')
    expect(await next).toBe('second')
  })
})

describe('allEnded', () => {
  it('returns the results in order', async () => {
    expect(await allEnded([sleep(2, 'slow'), Promise.resolve('fast')])).toEqual(['slow', 'fast'])
  })

  it('rejects with the first failure in time, when every task has ended, and stops the others at once', async () => {
    const stop = new AbortController()
    let hasEnded = false
    const other = async () => {
      await sleep(60_000, undefined, { signal: stop.signal }).catch(() => undefined)
      await sleep(2)
      hasEnded = true
      throw new Error('stopped')
    }
    await expect(allEnded([other(), Promise.reject(new Error('first'))], stop)).rejects.toThrow('first')
    expect(hasEnded).toBe(true)
  })
})
