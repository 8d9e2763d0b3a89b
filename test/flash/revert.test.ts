import { describe, expect, it } from 'vitest'
import { type RevertJob, revert } from '../../flash/revert.ts'
import { stopAfter } from '../helpers/fake-clock.ts'
import { updateBench } from '../helpers/update-bench.ts'

async function revertBench() {
  const bench = await updateBench()
  await bench.run()
  bench.host.calls.length = 0
  const { agent, clock, progress } = bench
  return { ...bench, goBack: (data: RevertJob['data'] = 'carried') => revert({ agent, clock, progress, data }) }
}

describe('a revert', () => {
  it('boots the previous slot, and sees it committed', async () => {
    const { host, old, progress, goBack } = await revertBench()
    expect(await goBack()).toMatchObject({ kind: 'reverted', from: 'b', slot: 'a', root: old.manifest.slot.root })
    expect([host.running, host.committed, host.update?.data]).toEqual(['a', 'a', 'snapshot'])
    expect(progress.notices.at(-1)).toMatch(/^adama: restarts into slot a \(root .*\) with today's data, and keeps it/)
    expect(host.calls).not.toContain('commit')
  })

  it('takes the data along only where that is asked for', async () => {
    const { host, goBack } = await revertBench()
    await goBack('as-was')
    expect(host.update?.data).toBe('as-was')
  })

  it('and another one are where it was before', async () => {
    const { host, goBack } = await revertBench()
    await goBack()
    expect(await goBack()).toMatchObject({ from: 'a', slot: 'b' })
    expect(host.committed).toBe('b')
  })

  it('that nobody waits for any more ends by itself, and the same command would undo it', async () => {
    const { host, clock, goBack } = await revertBench()
    stopAfter(clock, () => host.calls.includes('reboot'))
    await expect(goBack()).rejects.toMatchObject({
      code: 'stopped',
      message: "'adama' goes on into slot a by itself, and keeps it once it is healthy",
      hint: expect.stringContaining('the same command again would leave slot a: npm run status adama'),
    })
  })

  it('has nowhere to go from a host that was never updated', async () => {
    const { host, agent, clock, progress } = await updateBench()
    await expect(revert({ agent, clock, progress, data: 'carried' })).rejects.toThrow(
      "not reverted: slot b of 'adama' is empty, there is nothing to go back to",
    )
    expect(host.boots).toBe(1)
  })

  it('never leads to what was staged, or tried and not kept', async () => {
    const staged = await updateBench()
    await staged.run({ kind: 'stage' })
    const back = (bench: typeof staged) => revert({ ...bench, data: 'carried' })
    const error = await back(staged).catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      message: "not reverted: slot b of 'adama' holds what was never committed there: it was never tried",
      hint: expect.stringContaining('npm run flash adama'),
    })
    const tried = await updateBench()
    tried.host.faults.trial = 'never-healthy'
    await tried.run().catch(() => undefined)
    await expect(back(tried)).rejects.toThrow(/never committed there: its trial was reverted: not committed within/)
    expect([staged.host.boots, tried.host.running, tried.host.boots]).toEqual([1, 'a', 3])
    // An older agent does not say, and decides itself.
    tried.host.statusOverrides = { previouslyCommitted: undefined }
    await expect(back(tried)).rejects.toThrow('slot b holds what was never committed here')
  })

  it('to a slot that does not get healthy ends where it began, and says so', async () => {
    const { host, goBack } = await revertBench()
    host.faults.trial = 'never-healthy'
    await expect(goBack()).rejects.toThrow('the trial of slot a failed: not committed within 300 s')
    expect([host.running, host.committed]).toEqual(['b', 'b'])
  })
})
