import { describe, expect, it } from 'vitest'
import { revertPlanText } from '../../cli/commands/revert.ts'
import { type RevertPlan, revert } from '../../flash/revert.ts'
import type { RevertData } from '../../flash/targets/target.ts'
import { stopAfter } from '../helpers/fake-clock.ts'
import { updateBench } from '../helpers/update-bench.ts'

async function revertBench() {
  const bench = await updateBench()
  await bench.run()
  bench.host.calls.length = 0
  const { target, clock, progress } = bench
  const plans: RevertPlan[] = []
  const onPlan = (plan: RevertPlan) => void plans.push(plan)
  const goBack = (data: RevertData = 'carried') => revert({ target, clock, progress, data, onPlan })
  return { ...bench, plans, goBack }
}

describe('a revert', () => {
  it('a revert boots the previous slot and waits until the host has committed it', async () => {
    const { host, old, plans, goBack } = await revertBench()
    expect(await goBack()).toMatchObject({ kind: 'reverted', from: 'b', slot: 'a', root: old.manifest.slot.root })
    expect([host.running, host.committed, host.update?.data]).toEqual(['a', 'a', 'snapshot'])
    expect(plans.map((plan) => revertPlanText('adama', plan))).toEqual([
      expect.stringMatching(
        /^adama: restarts into slot a \(root .*\) with the current data and commits it when it is healthy/,
      ),
    ])
    expect(host.calls).not.toContain('commit')
  })

  it('a revert uses the data that the previous slot left only with --with-data', async () => {
    const { host, goBack } = await revertBench()
    await goBack('as-was')
    expect(host.update?.data).toBe('as-was')
  })

  it('a revert of a revert returns to the first slot', async () => {
    const { host, goBack } = await revertBench()
    await goBack()
    expect(await goBack()).toMatchObject({ from: 'a', slot: 'b' })
    expect(host.committed).toBe('b')
  })

  it('an interruption of a running revert warns the user not to repeat the command', async () => {
    const { host, clock, goBack } = await revertBench()
    stopAfter(clock, () => host.calls.includes('reboot'))
    await expect(goBack()).rejects.toMatchObject({
      code: 'stopped',
      message: "'adama' restarts into slot a and commits it by itself when it is healthy",
      hint: expect.stringContaining('npm run status adama. A second revert would boot the other slot again'),
    })
  })

  it('refuses to revert a host that was never updated', async () => {
    const { host, target, clock, progress } = await updateBench()
    await expect(revert({ target, clock, progress, data: 'carried' })).rejects.toThrow(
      "not reverted: slot b of 'adama' is empty",
    )
    expect(host.boots).toBe(1)
  })

  it('refuses to revert to a slot that was only staged, or tried and not committed', async () => {
    const staged = await updateBench()
    await staged.run({ kind: 'stage' })
    const back = (bench: typeof staged) => revert({ ...bench, data: 'carried' })
    const error = await back(staged).catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      message: "not reverted: slot b of 'adama' holds an image that was never committed there: it was never tried",
      hint: expect.stringContaining('npm run flash adama'),
    })
    const tried = await updateBench()
    tried.host.faults.trial = 'never-healthy'
    await tried.run().catch(() => undefined)
    await expect(back(tried)).rejects.toThrow(/never committed there: its trial failed: not committed within/)
    expect([staged.host.boots, tried.host.running, tried.host.boots]).toEqual([1, 'a', 3])
    // An older agent does not report the list, and refuses by itself.
    tried.host.statusOverrides = { previouslyCommitted: undefined }
    await expect(back(tried)).rejects.toThrow('slot b holds what was never committed here')
  })

  it('a revert to an unhealthy slot fails, and the host returns to its former slot', async () => {
    const { host, goBack } = await revertBench()
    host.faults.trial = 'never-healthy'
    await expect(goBack()).rejects.toThrow('the trial of slot a failed: not committed within 300 s')
    expect([host.running, host.committed]).toEqual(['b', 'b'])
  })
})
