import { describe, expect, it } from 'vitest'
import { BLOCK } from '../../../../images/layout.ts'
import { stopAfter } from '../../../helpers/fake-clock.ts'
import { updateBench } from '../../../helpers/update-bench.ts'

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: { code?: string; message: string; hint?: string }) => error,
  )

describe('a trial', () => {
  it('that does not come up is an error with the reason that the host has', async () => {
    const { host, run } = await updateBench()
    host.faults.trial = 'panics'
    const error = await rejection(run())
    expect(error).toMatchObject({ code: 'update' })
    expect(error?.message).toContain("'adama' went back to slot a")
    expect(error?.message).toContain('the trial of slot b failed: it never came up')
    expect([host.running, host.committed]).toEqual(['a', 'a'])
  })

  it('that never gets healthy is an error with its units', async () => {
    const { host, run } = await updateBench()
    host.faults.trial = 'never-healthy'
    const error = await rejection(run())
    expect(error?.message).toContain('not committed within 300 s: mosquitto.service')
    expect([host.running, host.committed, host.calls.includes('commit')]).toEqual(['a', 'a', false])
  })

  it('that is never heard of again ends with what the host does by itself', async () => {
    const { host, clock, run } = await updateBench()
    host.faults.trial = 'never-back'
    const error = await rejection(run())
    expect(error?.message).toContain("'adama' did not come back from the restart into slot b")
    expect(error?.hint).toContain('switching it off and on ends on slot a too')
    expect(clock.now()).toBeLessThan(15 * 60_000)
    host.powerCycle()
    expect([host.running, host.committed]).toEqual(['a', 'a'])
  })

  it('that is heard no more once it is healthy may be committed or not, and says so', async () => {
    const { host, clock, run } = await updateBench()
    const call = host.call.bind(host)
    host.call = async (words, options) => {
      if (words[0] === 'commit') host.faults.offlineFrom = clock.now()
      return call(words, options)
    }
    const error = await rejection(run())
    expect(error).toMatchObject({ code: 'update' })
    expect(error?.message).toContain(
      "slot b of 'adama' is healthy; whether its commit arrived is not known: cannot reach",
    )
    expect(error?.hint).toContain('goes back to slot a by itself within 300 s')
  })

  it('that nobody waits for any more says where it ends', async () => {
    const { host, clock, run } = await updateBench()
    stopAfter(clock, () => host.calls.includes('reboot'))
    expect(await rejection(run())).toMatchObject({
      code: 'stopped',
      message: "'adama' was told to try slot b, and nobody waits for it any more",
      hint: expect.stringContaining('it goes back to slot a by itself, within 300 s of its start'),
    })
  })

  it('that was not begun is gone on with by the same command: whoever stops is told nothing else', async () => {
    const { host, clock, run } = await updateBench()
    host.faults.cuts.push({ call: 'write blocks slot', after: 12 + 200 * BLOCK })
    stopAfter(clock, () => host.calls.includes('write blocks slot'))
    expect(await rejection(run())).toMatchObject({ name: 'AbortError' })
  })

  it('of somebody else is not committed', async () => {
    const { host, next, run } = await updateBench()
    host.statusOverrides = { state: 'committed' }
    const status = async () => {
      host.statusOverrides =
        host.boots > 1
          ? { update: { id: 'other', kind: 'update', slot: 'b', root: next.manifest.slot.root, phase: 'trial' } }
          : {}
    }
    const call = host.call.bind(host)
    host.call = async (words, options) => {
      await status()
      return call(words, options)
    }
    const error = await rejection(run())
    expect(error?.message).toContain("runs slot b on another trial than this one, 'other'")
    expect(host.calls).not.toContain('commit')
  })

  it('is not believed to be committed before the host says so', async () => {
    const { host, run } = await updateBench()
    const call = host.call.bind(host)
    host.call = async (words, options) => {
      if (words[0] === 'commit') return { exitCode: 0, output: '{"ok":true,"slot":"b"}', complaint: '' }
      return call(words, options)
    }
    expect((await rejection(run()))?.message).toMatch(
      /^read back from 'adama': slot b .* and 'a' is committed, wanted slot b/,
    )
  })
})
