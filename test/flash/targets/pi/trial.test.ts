import { describe, expect, it } from 'vitest'
import { UserError } from '../../../../errors.ts'
import { BLOCK } from '../../../../images/layout.ts'
import { stopAfter } from '../../../helpers/fake-clock.ts'
import { rejection } from '../../../helpers/rejection.ts'
import { updateBench } from '../../../helpers/update-bench.ts'

describe('a trial', () => {
  it('a trial that panics fails with the reason that the host recorded', async () => {
    const { host, run } = await updateBench()
    host.faults.trial = 'panics'
    const error = await rejection(run())
    expect(error).toMatchObject({ code: 'update' })
    expect(error?.message).toMatch(/^the trial of slot b failed: it never came up; 'adama' runs slot a /)
    expect([host.running, host.committed]).toEqual(['a', 'a'])
  })

  it('a trial that stays unhealthy fails with the names of the units', async () => {
    const { host, run } = await updateBench()
    host.faults.trial = 'never-healthy'
    const error = await rejection(run())
    expect(error?.message).toContain('not committed within 300 s: mosquitto.service')
    expect([host.running, host.committed, host.calls.includes('commit')]).toEqual(['a', 'a', false])
  })

  it('a trial goes on by itself when this machine can no longer run ssh, and the message says so', async () => {
    const { host, run } = await updateBench()
    const call = host.call.bind(host)
    host.call = async (words, given) => {
      if (words[0] === 'state') throw new UserError('program', 'cannot start ssh', { hint: 'remount it' })
      return call(words, given)
    }
    expect(await rejection(run())).toMatchObject({
      code: 'program',
      message: "cannot start ssh. The trial of 'adama' goes on without hangar",
      hint: 'remount it. Then see the result: npm run status adama',
    })
  })

  it('a trial that never answers fails, and the hint says how the host returns to the former slot', async () => {
    const { host, clock, run } = await updateBench()
    host.faults.trial = 'never-back'
    const error = await rejection(run())
    expect(error?.message).toContain("'adama' did not come back after the restart into slot b")
    expect(error?.hint).toContain('switch its power off and on: it then boots slot a')
    expect(clock.now()).toBeLessThan(15 * 60_000)
    host.powerCycle()
    expect([host.running, host.committed]).toEqual(['a', 'a'])
  })

  it('a trial whose commit gets no answer fails with both possible results', async () => {
    const { host, clock, run } = await updateBench()
    const call = host.call.bind(host)
    host.call = async (words, options) => {
      if (words[0] === 'commit') host.faults.offlineFrom = clock.now()
      return call(words, options)
    }
    const error = await rejection(run())
    expect(error).toMatchObject({ code: 'update' })
    expect(error?.message).toContain(
      "slot b of 'adama' is healthy, but the host did not confirm its commit: cannot reach",
    )
    expect(error?.hint).toContain('returns to slot a by itself within 300 s')
  })

  it('an interruption of a running trial explains how the trial ends', async () => {
    const { host, clock, run } = await updateBench()
    stopAfter(clock, () => host.calls.includes('reboot'))
    expect(await rejection(run())).toMatchObject({
      code: 'stopped',
      message: "'adama' restarts into a trial of slot b, and hangar no longer waits for the result",
      hint: expect.stringContaining("the host returns to slot a by itself within 300 s of the trial's start"),
    })
  })

  it('an interruption before the trial keeps the plain stop error', async () => {
    const { host, clock, run } = await updateBench()
    host.faults.cuts.push({ call: 'write blocks slot', after: 12 + 200 * BLOCK })
    stopAfter(clock, () => host.calls.includes('write blocks slot'))
    expect(await rejection(run())).toMatchObject({ name: 'AbortError' })
  })

  it('does not commit a trial of another controller', async () => {
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
    expect(error?.message).toContain("runs slot b on the trial 'other', wanted the trial 'trial-1'")
    expect(host.calls).not.toContain('commit')
  })

  it('reports a trial as committed only when the status of the host says so', async () => {
    const { host, run } = await updateBench()
    const call = host.call.bind(host)
    host.call = async (words, options) => {
      if (words[0] === 'commit') return { exitCode: 0, output: '{"ok":true,"slot":"b"}', stderr: '' }
      return call(words, options)
    }
    expect((await rejection(run()))?.message).toMatch(
      /^'adama' does not confirm the commit: slot b .* and 'a' is committed, wanted slot b/,
    )
  })
})
