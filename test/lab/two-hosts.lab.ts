import { describe, expect, inject } from 'vitest'
import { BASE_PORTS } from '../../overlays/base/offer.ts'
import { adama } from '../helpers/adama.ts'
import { buildImage, joinLab } from '../helpers/built-image.ts'
import { eventually } from '../helpers/eventually.ts'
import { reboot } from '../helpers/lab.ts'
import { patience } from '../helpers/machine-speed.ts'
import { scenarios } from '../helpers/scenarios.ts'
import { starbuck } from '../helpers/starbuck.ts'
import { bootLab, ownerKey, type TestVm } from '../helpers/vm.ts'

/** Seconds for the first boot of two hosts on two emulated cores each. */
const BOOT_SECONDS = 1200
const SERVICE_SECONDS = 600

/** The port of the host's own metrics, which needs no container. */
const OPEN = BASE_PORTS.find(({ reach, web }) => reach === 'lab' && web)?.number ?? 0
/** A port that no service has. */
const CLOSED = 4444

let vms: readonly [TestVm, TestVm]

const scenario = scenarios({
  start: async () => {
    joinLab(starbuck.name, inject('project'))
    buildImage(starbuck.name, inject('project'))
    vms = await bootLab([{ host: adama }, { host: starbuck }])
    for (const vm of vms) await vm.reachable(BOOT_SECONDS)
  },
  end: async () => void (await Promise.all((vms ?? []).map((vm) => vm.stop()))),
})

const addressOf = ({ network }: typeof adama) => network.addresses[0].address
const nameOf = ({ name, network }: typeof adama) => `${name}.${network.domain}`

/** Whether a host reaches another one: the exit status of three pings. */
async function pings(from: TestVm, to: string): Promise<boolean> {
  return (await from.ssh(['-i', ownerKey()], `ping -c 3 -W ${await patience(5)} ${to}`)).code === 0
}

/** The first line of a web server's answer; empty without a connection. */
async function answerOf(from: TestVm, to: string, port: number): Promise<string> {
  const request = `exec 3<>/dev/tcp/${to}/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3`
  const { stdout } = await from.ssh(['-i', ownerKey()], `timeout ${await patience(20)} bash -c "${request}"`)
  return stdout.trim()
}

describe('adama and starbuck, on one virtual network,', () => {
  scenario.observing('each host reaches the other one by address', async () => {
    const [first, second] = vms
    expect(await pings(first, addressOf(starbuck))).toBe(true)
    expect(await pings(second, addressOf(adama))).toBe(true)
  })

  scenario.observing('each host reaches the other one by name', async () => {
    const [first, second] = vms
    expect(await pings(first, nameOf(starbuck))).toBe(true)
    expect(await pings(second, nameOf(adama))).toBe(true)
  })

  scenario.observing('the hosts have different network cards, and both reach the gateway', async () => {
    const cards = await Promise.all(vms.map((vm) => vm.shell('cat /sys/class/net/e*/address')))
    expect(new Set(cards).size).toBe(2)
    for (const vm of vms) expect(await pings(vm, adama.network.gateways[0] ?? '')).toBe(true)
  })

  scenario.observing('a host reaches a port that the firewall of the other host opens', async () => {
    const [, second] = vms
    const answers = async () => (await answerOf(second, addressOf(adama), OPEN)).startsWith('HTTP/1')
    await eventually(answers, SERVICE_SECONDS)
  })

  scenario('a host does not reach a port that the firewall of the other host does not open', async () => {
    const [first, second] = vms
    await first.shell(`systemd-run --unit=lab-test --socket-property=ListenStream=${CLOSED} sleep infinity`)
    const request = `exec 3<>/dev/tcp/${addressOf(adama)}/${CLOSED} && echo connected`
    const connects = async (from: TestVm) =>
      (await from.ssh(['-i', ownerKey()], `timeout ${await patience(20)} bash -c '${request}'`)).stdout.trim()
    // The control: the host itself can connect to the same address, before and after.
    expect(await connects(first)).toBe('connected')
    expect(await connects(second)).toBe('')
    expect(await connects(first)).toBe('connected')
    await first.shell('systemctl stop lab-test.socket lab-test.service')
  })

  scenario('a host that reboots is reachable again, and the other host runs on', async () => {
    const [first, second] = vms
    const boots = () => Promise.all(vms.map((vm) => vm.shell('cat /proc/sys/kernel/random/boot_id')))
    const before = await boots()
    await reboot(second)
    const after = await boots()
    expect(after[0]).toBe(before[0])
    expect(after[1]).not.toBe(before[1])
    expect(await pings(first, addressOf(starbuck))).toBe(true)
    expect(await pings(second, addressOf(adama))).toBe(true)
  })

  scenario('the network serves a host after the other one has powered off', async () => {
    const [first, second] = vms
    await second.ssh(['-i', ownerKey()], 'systemctl poweroff')
    expect(await second.ended).toBe('power-off')
    expect(await first.shell('hostname')).toBe(adama.name)
    expect(await pings(first, adama.network.gateways[0] ?? '')).toBe(true)
  })
})
