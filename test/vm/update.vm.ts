import { describe, expect } from 'vitest'
import { fallsBack } from '../helpers/falls-back.ts'
import { agentStatus, healthy, type Lab, makeLab, must, reboot, trialSeconds } from '../helpers/lab.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'

const PROBE = '/run/hangar/data/mosquitto/probe'
const SERVICE = 'overlays/services/mosquitto/service.ts'

let lab: Lab
let vm: TestVm

/** A restore flashes a new disk and boots it. A saved state would be larger than the time that it saves after a failure. */
const scenario = scenarios({
  start: async () => {
    lab = await makeLab('lean')
    vm = await lab.boot()
    await healthy(vm)
  },
  end: async () => {
    await vm?.stop()
    lab?.remove()
  },
})

const UPDATED = 'an update ends committed in the other slot, with the data from before'

// All tests share one machine, and each continues where the previous one ended, unless that one failed. npm run test:matrix has more scenarios.
describe('an update of a running host', () => {
  scenario('an update does nothing if the host runs the built image', async () => {
    expect(await must(lab.onHost(vm, 'flash'))).toContain('nothing to do')
    expect(vm.starts).toHaveLength(1)
  })

  scenario(UPDATED, async () => {
    await vm.shell(`echo before >${PROBE}`)
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 301')
    const said = await must(lab.onHost(vm, 'flash'))
    expect(said).toMatch(/slot b runs .*, healthy and committed/)
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: true })
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', state: 'committed', committed: 'b', root: lab.built() },
      update: { phase: 'committed', kind: 'update' },
    })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('before')
  })

  const staysThere = async () => {
    await reboot(vm)
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: false })
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', root: lab.built() })
  }
  scenario('an updated host stays in the other slot after a plain reboot', staysThere, { after: [UPDATED] })

  const revertsData = async () => {
    await vm.shell(`echo newest >${PROBE}`)
    await must(lab.onHost(vm, 'revert', '--with-data'))
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'a', state: 'committed' },
      update: { kind: 'revert', phase: 'committed' },
    })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('before')
    expect(await vm.shell('cat /data/mosquitto@b/probe')).toBe('newest')
  }
  scenario('an update can be reverted with the old data, and the host keeps a copy of the new data', revertsData, {
    after: [UPDATED],
  })

  scenario('an update falls back with the old data when a service does not become healthy', async () => {
    lab.restore()
    await vm.shell(`echo before >${PROBE}`)
    lab.edit(SERVICE, "'log_dest stderr'", "'log_dest file /data/migrated'")
    lab.edit(SERVICE, '$SYS/broker/version', 'a topic without messages')
    const flags = ['--trial-seconds', `${await trialSeconds(80)}`]
    await fallsBack(lab, vm, { reason: /service mosquitto is not healthy/, flags })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('before')
    expect(await vm.shell('ls /run/hangar/data/mosquitto')).not.toContain('migrated')
    // The service did change its data, on trial.
    expect(await vm.shell('ls /data/mosquitto@b')).toContain('migrated')
    // A generation that failed its trial is no target for a revert.
    const { code, stderr } = await lab.onHost(vm, 'revert')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("slot b of 'adama' holds an image that was never committed there"),
    ])
  })

  scenario('the host refuses an image that an untrusted key signed', async () => {
    lab.restore()
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 302')
    await must(lab.hangar('build', 'adama'))
    await vm.shell(
      "cp /run/hangar/identity/trust/signing /run/hangar/kept; echo 'ssh-ed25519 AAAA nobody' >/run/hangar/identity/trust/signing",
    )
    const before = await agentStatus(vm)
    const { code, stderr } = await lab.onHost(vm, 'flash', '--no-build')
    expect([code, stderr]).toEqual([1, expect.stringContaining('not signed by a key that adama trusts')])
    await vm.shell('cp /run/hangar/kept /run/hangar/identity/trust/signing')
    expect((await agentStatus(vm)).slots).toEqual(before.slots)
  })
})
