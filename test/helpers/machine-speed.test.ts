import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { measureSlowdown, rememberedSlowdown, SLOWEST, scaled } from './machine-speed.ts'

describe('the slowdown of a machine', () => {
  it('the slowdown is 1 on a fast machine, and grows with the time of the probe up to a limit', async () => {
    const of = (milliseconds: number) => measureSlowdown(async () => milliseconds)
    expect(await of(100)).toBe(1)
    expect(await of(900)).toBe(1)
    expect(await of(2700)).toBe(3)
    expect(await of(1e9)).toBe(SLOWEST)
  })

  it('the slowdown of this machine is within the limit, however busy it is', async () => {
    const slowdown = await measureSlowdown()
    expect(slowdown).toBeGreaterThanOrEqual(1)
    expect(slowdown).toBeLessThanOrEqual(SLOWEST)
  })

  it('a deadline is as many times longer, in whole seconds', () => {
    expect([scaled(300, 1), scaled(300, 2.5), scaled(10, 1.01)]).toEqual([300, 750, 11])
  })

  it('the slowdown is measured once a minute', async () => {
    let [now, measured] = [0, 0]
    const slowdown = rememberedSlowdown(
      async () => ++measured,
      () => now,
    )
    expect([await slowdown(), await slowdown()]).toEqual([1, 1])
    now = 60_001
    expect(await slowdown()).toBe(2)
  })
})

/** A clock that only waits move. `slowdowns` are the results of the measurements. */
function fakeWaiting(...slowdowns: number[]) {
  let time = 0
  const waiting = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds
    },
    slowdown: async () => slowdowns.shift() ?? 1,
  }
  return { waiting, left: slowdowns, seconds: () => time / 1000 }
}

const trueAfter = (seconds: number, now: () => number) => async () => now() >= seconds * 1000

describe('eventually', () => {
  it('waits until the condition is true, and does not measure the machine', async () => {
    const { waiting, seconds, left } = fakeWaiting(4)
    await eventually(trueAfter(7, waiting.now), 10, waiting)
    expect([seconds(), left]).toEqual([7, [4]])
  })

  it('gives up at the deadline on an idle machine, with the last error of the condition', async () => {
    const { waiting, seconds } = fakeWaiting(1)
    await expect(eventually(async () => false, 10, waiting)).rejects.toThrow('not true within 10 s')
    expect(seconds()).toBe(10)
    const broken = () => Promise.reject(new Error('no login'))
    await expect(eventually(broken, 10, fakeWaiting(1).waiting)).rejects.toThrow('no login')
  })

  it('waits longer on a machine that is busy at the deadline', async () => {
    const { waiting, seconds } = fakeWaiting(3, 3)
    await eventually(trueAfter(25, waiting.now), 10, waiting)
    expect(seconds()).toBe(25)
  })

  it('gives up at the longer deadline, and goes on while the machine becomes busier', async () => {
    const same = fakeWaiting(3, 3)
    await expect(eventually(async () => false, 10, same.waiting)).rejects.toThrow('not true within 30 s')
    const busier = fakeWaiting(2, 4, 4)
    await eventually(trueAfter(35, busier.waiting.now), 10, busier.waiting)
    expect(busier.seconds()).toBe(35)
  })
})
