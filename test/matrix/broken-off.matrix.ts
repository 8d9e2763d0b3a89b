import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isBack, otherSlot } from '../helpers/falls-back.ts'
import { agentStatus, committed, healthy, type Lab, makeLab, must, reboot, started } from '../helpers/lab.ts'
import { eventually, type TestVm } from '../helpers/vm.ts'

const SERVICE = 'overlays/services/mosquitto/service.ts'

let lab: Lab
let vm: TestVm

beforeAll(async () => {
  lab = await makeLab('lean')
  vm = await lab.boot()
  await healthy(vm)
})

afterAll(async () => {
  await vm?.stop()
  lab?.remove()
})

function anotherImage(interval: number): void {
  lab.restore()
  lab.edit(SERVICE, 'autosave_interval 300', `autosave_interval ${interval}`)
}

/** Kills the command that flashes, as nothing can be cleaned up after, once the host has come so far. */
async function killedOnce(isThere: () => Promise<boolean>, ...flags: string[]): Promise<void> {
  const command = lab.begin(vm, ...flags)
  const ended = once(command, 'close')
  await eventually(isThere, 600)
  command.kill('SIGKILL')
  await ended
}

async function phaseIs(phase: string): Promise<boolean> {
  return (await agentStatus(vm)).update?.phase === phase
}

describe('an update that is broken off', () => {
  it('by a killed controller and a reboot while it writes is finished by the same command', async () => {
    anotherImage(301)
    await must(lab.hangar('build', 'adama'))
    const before = await agentStatus(vm)
    await killedOnce(() => phaseIs('writing'), '--full', '--no-build')
    expect(await agentStatus(vm)).toMatchObject({
      slot: 'a',
      state: 'committed',
      slots: { b: { state: 'unbootable' } },
    })
    await reboot(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', root: before.root, state: 'committed' })
    await must(lab.onHost(vm, 'flash'))
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', root: lab.built() })
  })

  it('by another controller that is at work is told who that is', async () => {
    anotherImage(302)
    await vm.shell("printf 'owner you@there:/lab\\nused %s\\n' $(cut -d. -f1 /proc/uptime) >/run/hangar/lock")
    const { code, stderr } = await lab.onHost(vm, 'flash')
    expect([code, stderr]).toEqual([1, expect.stringContaining("'you@there:/lab' updates 'adama'")])
    await vm.shell('rm /run/hangar/lock')
  })

  it('by a controller that is killed while it is tried falls back, and the same command ends it', async () => {
    const before = await agentStatus(vm)
    const starts = vm.starts.length
    await killedOnce(async () => vm.starts.length > starts, '--trial-seconds', '150')
    await started(vm, starts + 2)
    await vm.reachable(600)
    await isBack(vm, before, /waits for the controller|is not healthy|still starting/)
    const again = vm.starts.length
    const said = await must(lab.onHost(vm, 'flash'))
    // The hash tree alone: all else is there.
    expect(said).toMatch(/sent (\d+ k?B|[\d.]+ kB|[0-4]\.\d MB),/)
    expect(vm.starts).toHaveLength(again + 1)
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: otherSlot(before), state: 'committed', root: lab.built() },
    })
  })

  it('by the power while it is tried falls back at once', async () => {
    anotherImage(303)
    const before = await agentStatus(vm)
    const starts = vm.starts.length
    const command = lab.begin(vm)
    const ended = once(command, 'close')
    await started(vm, starts + 1)
    await vm.reachable(600)
    await vm.powerCut()
    vm = await lab.boot()
    expect(vm.starts).toEqual([{ partition: 2, tryboot: false }])
    expect(await ended).not.toEqual([0, null])
    await isBack(vm, before, /the power was cut/)
  })

  it('by the power between arming and the reboot was never tried', async () => {
    anotherImage(303)
    await must(lab.onHost(vm, 'flash', '--stage'))
    const before = await agentStatus(vm)
    const { root } = before.slots[otherSlot(before)] as { root: string }
    await vm.shell(`/usr/lib/hangar/agent arm me@here:/x one ${root} --data snapshot --commit controller --seconds 300`)
    expect((await agentStatus(vm)).update?.phase).toBe('armed')
    await vm.powerCut()
    vm = await lab.boot()
    await isBack(vm, before, /never got as far/)
  })

  it('by a clock that is set during the trial is committed all the same: the deadline is not on that clock', async () => {
    anotherImage(303)
    const before = await agentStatus(vm)
    const starts = vm.starts.length
    const command = lab.begin(vm)
    const ended = once(command, 'close')
    await started(vm, starts + 1)
    await vm.reachable(600)
    await vm.shell('timedatectl set-ntp false; date -s "$(date -d "+3 years" +%F)"')
    expect(await ended).toEqual([0, null])
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: otherSlot(before), state: 'committed', root: lab.built() },
    })
  })
})

describe('somebody at the console, without a network or a controller,', () => {
  it('goes back to the other slot with the data of today', async () => {
    await vm.shell('echo today >/run/hangar/data/mosquitto/probe')
    const starts = vm.starts.length
    const answer = async (question: RegExp, line: string) => {
      const said = vm.console.text.length
      vm.send(`${line}\n`)
      await vm.console.waitFor(question, 120, said)
    }
    await answer(/Go back on adama\? Type yes:/, 'b')
    await answer(/with today's data \[t\] or as it was then \[w\]\?/, 'yes')
    await answer(/starting slot a on trial/, 't')
    await started(vm, starts + 1)
    await vm.reachable(600)
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', update: { kind: 'revert', phase: 'committed' } })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
  })
})
