import { describe, expect } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { agentStatus, committed, healthy, healthyLab, type Lab, must, started } from '../helpers/lab.ts'
import { patience } from '../helpers/machine-speed.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'

const INIT = 'overlays/device/initramfs/init'
const LIVE = '/run/hangar/data/mosquitto'
/** Panics after the initramfs has recorded the start, but not on trial: so the slot can be committed. */
const PANICS = `[ "$TRYBOOT" != 0 ] || echo c >/proc/sysrq-trigger`
const A = { partition: 2, tryboot: false } as const
const B = { partition: 3, tryboot: false } as const
const TRIAL_OF_A = { partition: 2, tryboot: true } as const

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

const countedStarts = () =>
  vm.shell(
    "RUN=/run/hangar; IDENTITY=$(sed -n 's/^IDENTITY=//p' $RUN/boot); . /usr/lib/hangar/record; record_load; record_get starts",
  )

const metrics = () => vm.shell('cat /var/lib/prometheus/node-exporter/hangar.prom')

/** Commits an image to the other slot that panics at every start from then on. */
async function flashPanicking(): Promise<void> {
  lab.restore()
  lab.edit(INIT, /^ {2}begin_start$/m, `  begin_start\n  ${PANICS}`)
  await must(lab.onHost(vm, 'flash'))
  expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', starts: { state: 'normal' } })
}

describe('an owner who switches the power off during the start', () => {
  scenario(
    'an owner who switches the power off during three starts finds the same slot, and no failed start',
    async () => {
      await eventually(async () => (await countedStarts()).endsWith(' ended'), 300)
      for (let cut = 0; cut < 3; cut++) {
        await vm.powerCut()
        vm = await lab.start()
        // The initramfs has recorded the start by then.
        await vm.console.waitFor(/identity: SSH host key/, await patience(600))
      }
      await vm.powerCut()
      vm = await lab.boot()
      expect(vm.starts).toEqual([A])
      expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', starts: { state: 'normal' } })
      await healthy(vm)
      await eventually(async () => (await countedStarts()) === 'a 0 0 0 ended', 300)
    },
  )

  scenario('an owner who reboots a host before it is healthy finds the same slot, and no failed start', async () => {
    for (let again = 0; again < 2; again++) {
      const before = vm.starts.length
      await vm.shell('/usr/lib/hangar/agent reboot')
      await started(vm, before + 1)
      await vm.reachable(600)
    }
    expect(vm.starts.every(({ partition, tryboot }) => partition === 2 && !tryboot)).toBe(true)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', starts: { state: 'normal' } })
    await healthy(vm)
  })
})

describe('a committed slot that panics at every start', () => {
  const LEFT =
    "boots the other slot on trial after three starts, with today's data, and status, console and metrics say so"

  scenario(LEFT, async () => {
    await flashPanicking()
    await vm.shell(`echo today >${LIVE}/probe; sync`)
    const before = vm.starts.length
    await vm.shell('/usr/lib/hangar/agent reboot')
    await started(vm, before + 5, 1200)
    await vm.reachable(600)
    await committed(vm)
    // The fourth start of slot b only arms the trial.
    expect(vm.starts.slice(before)).toEqual([B, B, B, B, TRIAL_OF_A])
    const status = await agentStatus(vm)
    expect(status).toMatchObject({ slot: 'a', state: 'committed', committed: 'a', update: { kind: 'rescue' } })
    expect(status.starts).toEqual({
      ...{ state: 'left', slot: 'b' },
      reason: expect.stringMatching(/^slot b failed at 3 starts in a row: it restarted by itself/),
    })
    expect(await vm.shell(`cat ${LIVE}/probe`)).toBe('today')
    expect(await vm.shell('cat /run/hangar/starts')).toContain('slot a took the place of slot b')
    expect(await metrics()).toContain('hangar_starts{state="left",slot="a"} 1')
    expect((await lab.onHost(vm, 'status')).stdout).toContain('slot a took the place of slot b')
    expect(vm.console.text).toContain('slot b failed at 3 starts in a row')
  })

  const staysCommitted = async () => {
    await healthy(vm)
    const before = vm.starts.length
    await vm.shell('/usr/lib/hangar/agent reboot')
    await started(vm, before + 1)
    await vm.reachable(600)
    await healthy(vm)
    expect(vm.starts.slice(before)).toEqual([A])
    expect((await agentStatus(vm)).starts).toMatchObject({ state: 'left', slot: 'b' })
  }

  scenario('the other slot stays committed after a restart, and does not go back', staysCommitted, { after: [LEFT] })
})

describe('two slots that both fail', () => {
  const STAYS = 'stays on the slot that gets further, keeps the SSH server up, and says so'

  scenario(STAYS, async () => {
    await flashPanicking()
    // Both slots find these data. The broker refuses its damaged database, so no slot becomes healthy.
    await vm.shell(`systemctl stop mosquitto; echo damaged >${LIVE}/mosquitto.db; sync`)
    const before = vm.starts.length
    await vm.shell('/usr/lib/hangar/agent reboot')
    await started(vm, before + 5, 1200)
    await vm.reachable(600)
    await committed(vm, 900)
    expect(vm.starts.slice(before)).toEqual([B, B, B, B, TRIAL_OF_A])
    const status = await agentStatus(vm)
    expect(status).toMatchObject({ slot: 'a', state: 'committed', committed: 'a', health: { state: 'unhealthy' } })
    expect(status.starts).toMatchObject({ state: 'stays', stays: expect.stringContaining('got further than slot b') })
    expect(await metrics()).toContain('hangar_starts{state="stays",slot="a"} 1')
    expect((await lab.onHost(vm, 'status')).stdout).toContain('both slots fail, and slot a stays')
    expect(vm.console.text).toContain('stays because it got further than slot b')
  })

  const doesNotAlternate = async () => {
    for (let reset = 0; reset < 4; reset++) {
      const before = vm.starts.length
      await vm.shell('(sleep 1; echo b >/proc/sysrq-trigger) >/dev/null 2>&1 &')
      await started(vm, before + 1)
      await vm.reachable(600)
      expect(vm.starts.slice(before)).toEqual([A])
    }
    expect((await agentStatus(vm)).starts).toMatchObject({ state: 'stays' })
    expect(Number((await countedStarts()).split(' ')[1])).toBeGreaterThanOrEqual(3)
  }

  scenario('does not alternate: failed starts of the slot that stays bring nothing back', doesNotAlternate, {
    after: [STAYS],
  })

  const countEnds = async () => {
    // systemd restarts the broker all the time: without the stop, the start joins a restart that has read the damaged file.
    await vm.shell(`systemctl stop mosquitto; rm ${LIVE}/mosquitto.db; systemctl start mosquitto`)
    await healthy(vm)
    await eventually(async () => (await agentStatus(vm)).starts?.state === 'left', 300)
  }

  scenario('the count ends when the slot that stays is healthy again', countEnds, { after: [STAYS] })
})
