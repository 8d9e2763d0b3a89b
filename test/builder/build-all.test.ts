import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { build, buildAll, type HostRequest } from '../../builder/build.ts'
import type { HostPlan } from '../../builder/host-plan.ts'
import { derivationFailed } from '../../builder/runners/failure.ts'
import type { Derivation } from '../../images/derivation.ts'
import { parseHostName } from '../../images/names.ts'
import { Refusal, refusalLine } from '../../images/refusal.ts'
import { smallLab, smallLock, smallPiPlan } from '../helpers/small-lab.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'

/** A small host with its own configuration line, and optionally another slot size. */
function planNamed(name: string, line: string, slotSize?: number): HostPlan {
  const plan = smallPiPlan(smallLock('1'), line)
  const image: HostPlan['image'] = (context) => {
    const planned = plan.image(context)
    return { ...planned, ...{ host: parseHostName(name) }, slotSize: slotSize ?? planned.slotSize }
  }
  return { ...plan, name, image }
}

async function bench() {
  const directory = await tempDirectory()
  const lab = await smallLab(directory, PROJECT)
  lab.moveLock('1')
  const request = (plan: HostPlan, below = 'out'): HostRequest => ({ plan, output: join(directory, below, plan.name) })
  const sums = (host: string, below = 'out') => readFileSync(join(directory, below, host, 'SHA256SUMS'), 'utf8')
  return { ...lab, directory, request, sums }
}

const [ADAMA, STARBUCK] = [planNamed('adama', 'one'), planNamed('starbuck', 'two')]
const TOO_LARGE = planNamed('apollo', 'three', 4096)

describe('a build of several hosts', () => {
  it('runs each derivation once, also when several hosts need it', async () => {
    const { context, request } = await bench()
    const opened = context()
    await buildAll(opened, { hosts: [ADAMA, STARBUCK].map((plan) => request(plan)), frozen: 'frozen' })
    const times = (name: string) => opened.runner.ran.filter((each) => each === name).length
    expect([times('base'), times('native-blocks'), times('sbom')]).toEqual([1, 1, 1])
    // The configuration lines of the two hosts differ.
    expect([times('host'), times('container-app')]).toEqual([2, 2])
  })

  it('gives the same files and generations as one build for each host', async () => {
    const { context, request, sums } = await bench()
    const together = await buildAll(context(), {
      hosts: [ADAMA, STARBUCK].map((plan) => request(plan)),
      frozen: 'frozen',
    })
    expect(together).toMatchObject([{ host: 'adama' }, { host: 'starbuck' }])
    expect(sums('adama')).not.toBe(sums('starbuck'))
    for (const [at, plan] of [ADAMA, STARBUCK].entries()) {
      const alone = await build(context(), { ...request(plan, 'alone'), frozen: 'frozen' })
      expect(sums(plan.name, 'alone')).toBe(sums(plan.name))
      expect(together[at]).toMatchObject({ built: { generation: alone.generation, root: alone.root } })
    }
  })

  it('builds the other hosts when the image of one host does not fit', async () => {
    const { context, request, sums } = await bench()
    const hosts = [TOO_LARGE, STARBUCK].map((plan) => request(plan))
    const [large, other] = await buildAll(context(), { hosts, frozen: 'frozen' })
    expect(large).toMatchObject({ host: 'apollo', error: { code: 'size' } })
    expect(other).toMatchObject({ host: 'starbuck', built: { outputs: 'written' } })
    expect(sums('starbuck')).toContain('slot.img')
    await expect(build(context(), { ...request(TOO_LARGE), frozen: 'frozen' })).rejects.toMatchObject({ code: 'size' })
  })
})

describe('a derivation that fails', () => {
  const failing = async (plans: readonly HostPlan[], output = 'it broke\n') => {
    const { context, request, directory } = await bench()
    const log = join(directory, 'log')
    const opened = context()
    const realise = async (wanted: readonly Derivation[]) => {
      await opened.runner.realise(wanted.slice(0, 1), opened.reporter)
      // The last layer belongs to the last host alone.
      const own = wanted.filter(({ name }) => name === 'host').at(-1)
      if (own === undefined) throw new Error('no derivation of a host')
      throw await derivationFailed(own, { status: 1, log, place: 'sandbox' }, opened.store)
    }
    writeFileSync(log, output)
    const hosts = plans.map((plan) => request(plan))
    const failure = buildAll({ ...opened, runner: { realise } }, { hosts, frozen: 'frozen' })
    return { failure, directory }
  }

  it('ends the build of all hosts before hangar writes an output directory, and names the hosts that need it', async () => {
    const { failure, directory } = await failing([ADAMA, STARBUCK])
    await expect(failure).rejects.toMatchObject({
      code: 'derivation',
      message: "derivation 'host' failed with status 1:\n  it broke\n  hosts that need it: 'starbuck'",
      hint: expect.stringContaining('complete log:'),
    })
    expect(existsSync(join(directory, 'out'))).toBe(false)
  })

  it('names the hosts that need it after the refusal of a step, and keeps its code and hint', async () => {
    const refusal = new Refusal('carry', 'it has a reason', 'do this')
    const { failure } = await failing([ADAMA, STARBUCK], `noise\n${refusalLine(refusal)}\n`)
    await expect(failure).rejects.toMatchObject({
      code: 'carry',
      message: "cannot build 'host': it has a reason\n  hosts that need it: 'starbuck'",
      hint: 'do this',
    })
  })

  it('of a single host has no list of hosts', async () => {
    const { failure } = await failing([ADAMA])
    await expect(failure).rejects.toMatchObject({ message: "derivation 'host' failed with status 1:\n  it broke" })
  })
})
