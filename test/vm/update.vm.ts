import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentStatus, healthy, type Lab, makeLab, must } from '../helpers/lab.ts'
import type { TestVm } from '../helpers/vm.ts'

const PROBE = '/run/hangar/data/mosquitto/probe'

let lab: Lab
let vm: TestVm

beforeAll(async () => {
  lab = await makeLab()
  vm = await lab.boot()
  await healthy(vm)
})

afterAll(async () => {
  await vm?.stop()
  lab?.remove()
})

/** One after the other on one machine: each begins where the last one ended. */
describe('an update of a host that runs', () => {
  it('is nothing to do where it runs what is built', async () => {
    expect(await must(lab.onHost(vm, 'flash'))).toContain('nothing to do')
    expect(vm.starts).toHaveLength(1)
  })

  it('refuses a host whose key is another one, and says what that may mean', async () => {
    const path = 'hosts/adama.identity.json'
    lab.edit(path, /ssh-ed25519 AAAA\S{10}/, 'ssh-ed25519 AAAAC3NzaC1lZD')
    const mine = await lab.onHost(vm, 'flash').finally(() => undefined)
    expect(mine.code).not.toBe(0)
    await must(lab.hangar('init', 'adama', '--adopt', await fingerprint(), '--at', `127.0.0.1:${vm.ports.ssh}`))
  })

  it('ends committed in the other slot, with the data that was there', async () => {
    await vm.shell(`echo before >${PROBE}`)
    lab.edit('overlays/services/mosquitto/service.ts', 'autosave_interval 300', 'autosave_interval 301')
    const said = await must(lab.onHost(vm, 'flash'))
    expect(said).toMatch(/slot b runs .*, healthy and committed/)
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: true })
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', standing: 'committed', committed: 'b', root: lab.built() },
      update: { phase: 'committed', kind: 'update' },
    })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('before')
  })

  it('is what a plain reboot starts from then on', async () => {
    await reboot()
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: false })
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', standing: 'committed', root: lab.built() })
    await healthy(vm)
  })

  it('ends where it began when a service never gets healthy, says why, and leaves the data as it was', async () => {
    lab.edit(
      'overlays/services/mosquitto/service.ts',
      "'/usr/sbin/mosquitto', '-c'",
      "'/bin/sh', '-c', 'echo migrated >/data/probe; exit 1', '-c'",
    )
    const { code, stderr } = await lab.onHost(vm, 'flash', '--trial-seconds', '150')
    expect(code).not.toBe(0)
    expect(stderr).toContain('mosquitto')
    await vm.reachable(600)
    const status = await agentStatus(vm)
    expect(status).toMatchObject({ slot: 'b', standing: 'committed', update: { phase: 'reverted', slot: 'a' } })
    expect(status.update?.reason).toContain('mosquitto')
    expect(await vm.shell(`cat ${PROBE}`)).toBe('before')
    await healthy(vm)
  })

  it('ends where it began when the kernel panics', async () => {
    lab.restore()
    lab.edit('images/initramfs/init', /^main$/m, 'mount -t proc proc /proc; echo c >/proc/sysrq-trigger')
    const { code } = await lab.onHost(vm, 'flash')
    expect(code).not.toBe(0)
    expect(vm.starts.slice(-2)).toEqual([
      { partition: 2, tryboot: true },
      { partition: 3, tryboot: false },
    ])
    await vm.reachable(600)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', standing: 'committed', update: { phase: 'reverted' } })
    await healthy(vm)
  })

  it('can be reverted, with the data of today', async () => {
    lab.restore()
    await must(lab.onHost(vm, 'flash'))
    await vm.shell(`echo later >${PROBE}`)
    const said = await must(lab.onHost(vm, 'revert'))
    expect(said).toContain('slot b')
    expect(await agentStatus(vm)).toMatchObject({
      slot: 'b',
      standing: 'committed',
      update: { kind: 'revert', phase: 'committed' },
    })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('later')
  })

  it('can be reverted with the data as it was, and today’s is kept', async () => {
    await vm.shell(`echo latest >${PROBE}`)
    await must(lab.onHost(vm, 'revert', '--with-data'))
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', standing: 'committed' })
    expect(await vm.shell(`cat ${PROBE}`)).toBe('later')
    expect(await vm.shell('cat /data/mosquitto@b/probe')).toBe('latest')
  })

  it('ends where it began when the power goes while it is on trial', async () => {
    lab.edit('overlays/services/mosquitto/service.ts', 'autosave_interval 300', 'autosave_interval 302')
    const flashing = lab.onHost(vm, 'flash')
    const before = vm.starts.length
    while (vm.starts.length === before) await new Promise((resolve) => setTimeout(resolve, 1000))
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    await vm.powerCut()
    vm = await lab.boot()
    expect(vm.starts).toEqual([{ partition: 2, tryboot: false }])
    expect((await flashing).code).not.toBe(0)
    const status = await agentStatus(vm)
    expect(status).toMatchObject({ slot: 'a', standing: 'committed', update: { phase: 'reverted' } })
    expect(status.update?.reason).toContain('the power was cut')
  })
})

async function fingerprint(): Promise<string> {
  const line = await vm.shell('ssh-keygen -l -f /run/hangar/identity/ssh/ssh_host_ed25519_key.pub')
  return line.split(' ')[1] ?? ''
}

async function reboot(): Promise<void> {
  const before = vm.starts.length
  await vm.ssh(
    ['-i', `${process.env.XDG_CONFIG_HOME ?? `${process.env.HOME}/.config`}/hangar/ssh_key`],
    'systemctl reboot',
  )
  while (vm.starts.length === before) await new Promise((resolve) => setTimeout(resolve, 500))
  await vm.reachable(600)
}
