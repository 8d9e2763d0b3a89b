import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { isBack, otherSlot } from '../helpers/falls-back.ts'
import { agentStatus, committed, healthyLab, type Lab, must, reboot, started, trialSeconds } from '../helpers/lab.ts'
import { patience } from '../helpers/machine-speed.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'

const SERVICE = 'overlays/services/mosquitto/service.ts'

let lab: Lab
let vm: TestVm

const scenario = scenarios({
  start: async () => {
    ;({ lab, vm } = await healthyLab())
  },
  end: async () => {
    await vm?.stop()
    lab?.remove()
  },
})

const PARTITION = { a: 2, b: 3 } as const
const CLOCK_IS_SET =
  'a host commits its trial although the wall clock is set meanwhile, because the deadline uses the monotonic clock'

function anotherImage(interval: number): void {
  lab.restore()
  lab.edit(SERVICE, 'autosave_interval 300', `autosave_interval ${interval}`)
}

/** Starts a flash, and kills the command with SIGKILL once `isThere` is true. */
async function killedOnce(isThere: () => Promise<boolean>, ...flags: string[]): Promise<void> {
  const command = await lab.begin(vm, ...flags)
  const ended = once(command, 'close')
  await eventually(isThere, 600)
  command.kill('SIGKILL')
  await ended
}

async function phaseIs(phase: string): Promise<boolean> {
  return (await agentStatus(vm)).update?.phase === phase
}

describe('an interrupted update', () => {
  scenario(
    'the same command completes an update after the controller was killed and the host rebooted during the write',
    async () => {
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
    },
  )

  scenario(
    'an update does not start while another controller updates the host, and names that controller',
    async () => {
      anotherImage(302)
      await vm.shell("printf 'owner you@there:/lab\\nused %s\\n' $(cut -d. -f1 /proc/uptime) >/run/hangar/lock")
      const { code, stderr } = await lab.onHost(vm, 'flash')
      expect([code, stderr]).toEqual([1, expect.stringContaining("'you@there:/lab' updates 'adama'")])
      await vm.shell('rm /run/hangar/lock')
    },
  )

  scenario(
    'an update falls back if the controller is killed during the trial, and the same command completes it',
    async () => {
      anotherImage(302)
      const before = await agentStatus(vm)
      const starts = vm.starts.length
      const seconds = await trialSeconds(150)
      await killedOnce(async () => vm.starts.length > starts, '--trial-seconds', `${seconds}`)
      await started(vm, starts + 2)
      await vm.reachable(600)
      await isBack(vm, before, /waits for the controller|is not healthy|still starting/)
      const again = vm.starts.length
      const said = await must(lab.onHost(vm, 'flash'))
      // Slot b already has all other blocks, so the command sends only the hash tree.
      expect(said).toMatch(/sent (\d+ k?B|[\d.]+ kB|[0-4]\.\d MB),/)
      expect(vm.starts).toHaveLength(again + 1)
      expect(await agentStatus(vm)).toMatchObject({
        ...{ slot: otherSlot(before), state: 'committed', root: lab.built() },
      })
    },
  )

  scenario('an update falls back at once after a power cut during the trial', async () => {
    anotherImage(303)
    const before = await agentStatus(vm)
    const starts = vm.starts.length
    const command = await lab.begin(vm)
    const ended = once(command, 'close')
    await started(vm, starts + 1)
    await vm.reachable(600)
    await vm.powerCut()
    vm = await lab.boot()
    expect(vm.starts).toEqual([{ partition: PARTITION[before.slot], tryboot: false }])
    expect(await ended).not.toEqual([0, null])
    await isBack(vm, before, /a power cut/)
  })

  scenario('a power cut between the arming and the reboot prevents the trial', async () => {
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

  scenario(CLOCK_IS_SET, async () => {
    anotherImage(303)
    const before = await agentStatus(vm)
    const starts = vm.starts.length
    const command = await lab.begin(vm)
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

describe('a person at the console, without a network and a controller,', () => {
  const revert = async () => {
    await vm.shell('echo today >/run/hangar/data/mosquitto/probe')
    const to = otherSlot(await agentStatus(vm))
    const starts = vm.starts.length
    const answer = async (question: RegExp, line: string) => {
      const said = vm.console.text.length
      vm.send(`${line}\n`)
      await vm.console.waitFor(question, await patience(120), said)
    }
    await answer(/Revert adama\? Type yes:/, 'b')
    await answer(/Use \[t\]oday's data, or the data as it \[w\]as when/, 'yes')
    await answer(new RegExp(`rebooting into slot ${to} on trial`), 't')
    await started(vm, starts + 1)
    await vm.reachable(600)
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: to, update: { kind: 'revert', phase: 'committed' } })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
  }
  // Both slots were committed then.
  scenario('a person at the console can revert to the other slot with the current data', revert, {
    after: [CLOCK_IS_SET],
  })
})
