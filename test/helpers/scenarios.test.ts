import { describe, expect, it } from 'vitest'
import { type Outcome, sequenceOf } from './scenarios.ts'

/** A machine that records what scenarios did to it; a restore empties the record. */
function bench(restore: () => Promise<void> = async () => undefined) {
  const machine: string[] = []
  let restores = 0
  const sequence = sequenceOf(async () => {
    restores += 1
    await restore()
    machine.length = 0
  })
  const run = (title: string, after: readonly string[] = []): Promise<Outcome> =>
    sequence.run(title, async () => machine.push(title), { after })
  const fail = (title: string) =>
    sequence.run(title, async () => {
      machine.push(`half of ${title}`)
      throw new Error(`${title} broke`)
    })
  return { machine, sequence, run, fail, restores: () => restores }
}

describe('scenarios that share a machine', () => {
  it('scenarios that pass go on from each other without a restore', async () => {
    const { machine, run, restores } = bench()
    for (const title of ['a', 'b', 'c']) expect(await run(title, machine.slice(-1))).toBe('passed')
    expect([machine, restores()]).toEqual([['a', 'b', 'c'], 0])
  })

  it('the scenario after a failed one begins on the restored machine, and the failed one keeps its own error', async () => {
    const { machine, run, fail, restores } = bench()
    await run('a')
    await expect(fail('b')).rejects.toThrow('b broke')
    expect([machine, restores()]).toEqual([['a', 'half of b'], 0])
    expect(await run('c')).toBe('passed')
    expect([machine, restores()]).toEqual([['c'], 1])
  })

  it('a scenario that changes nothing leaves the machine and the effects of others as they are when it fails', async () => {
    const { sequence, run, fail, restores, machine } = bench()
    await run('a')
    const look = () => sequence.run('look', () => Promise.reject(new Error('unhealthy')), { changes: 'nothing' })
    await expect(look()).rejects.toThrow('unhealthy')
    expect(await run('b', ['a'])).toBe('passed')
    expect([machine, restores()]).toEqual([['a', 'b'], 0])
    await expect(fail('c')).rejects.toThrow()
    await expect(look()).rejects.toThrow('unhealthy')
    expect([machine, restores()]).toEqual([[], 1])
    await run('d')
    expect(restores()).toBe(1)
  })

  it('nothing is restored after the last scenario has failed', async () => {
    const { fail, restores } = bench()
    await expect(fail('a')).rejects.toThrow()
    expect(restores()).toBe(0)
  })

  it('a scenario is skipped with the reason when a scenario that it needs has failed, was skipped or did not run', async () => {
    const { run, fail, restores, machine } = bench()
    await expect(fail('a')).rejects.toThrow()
    expect(await run('b', ['a'])).toEqual({ skipped: "depends on 'a', which failed" })
    expect(await run('c', ['b'])).toEqual({ skipped: "depends on 'b', which was skipped" })
    expect(await run('d', ['never'])).toEqual({ skipped: "depends on 'never', which did not run" })
    expect([machine, restores()]).toEqual([['half of a'], 0])
  })

  it('a scenario is skipped when the effect that it needs was lost by a restore, or will be', async () => {
    const { run, fail } = bench()
    const lost = "depends on 'a', whose effect is lost: a later scenario failed and the machine is restored"
    await run('a')
    await expect(fail('b')).rejects.toThrow()
    expect(await run('c', ['a'])).toEqual({ skipped: lost })
    expect(await run('d')).toBe('passed')
    expect(await run('e', ['a'])).toEqual({ skipped: lost })
    expect(await run('f', ['d'])).toBe('passed')
  })

  it('all later scenarios are skipped when the machine cannot be restored', async () => {
    const { run, fail, restores } = bench(() => Promise.reject(new Error('no disk')))
    await expect(fail('a')).rejects.toThrow()
    await expect(run('b')).rejects.toThrow('no disk')
    expect(await run('c')).toEqual({ skipped: "the machine could not be restored after 'a' failed" })
    expect(restores()).toBe(1)
  })

  it('a body that ends after the limit of its test does not count for the restored machine', async () => {
    const { sequence, run } = bench()
    const ends: (() => void)[] = []
    const late = sequence.run('a', () => new Promise<void>((resolve) => ends.push(resolve)))
    expect(await run('b')).toBe('passed')
    for (const end of ends) end()
    await late
    expect(await run('c', ['a'])).toEqual({ skipped: "depends on 'a', which failed" })
  })
})
