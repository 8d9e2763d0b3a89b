import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { macAddressOf } from '../../../flash/vm/mac-address.ts'
import type { GuestForward } from '../../../flash/vm/netdev.ts'
import type { Member } from '../../../flash/vm/shared-network.ts'
import { startNetwork, type VirtualNetwork } from '../../../flash/vm/virtual-network.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { frame, station } from '../../helpers/ethernet.ts'
import { FAKE_GATEWAY } from '../../helpers/fake-gateway.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const member = (name: string, address: string): Member => ({
  name,
  network: { addresses: [parseInterfaceAddress(address)], gateways: [parseIpAddress('10.0.10.1')], dns: [] },
})
const MEMBERS = [member('adama', '10.0.10.11/24'), member('starbuck', '10.0.10.12/24')]
const FORWARDS: GuestForward[] = [
  { address: parseIpAddress('10.0.10.11'), guestPort: 22, port: 2201 },
  { address: parseIpAddress('10.0.10.12'), guestPort: 22, port: 2202 },
]

async function fakeNetwork(script = FAKE_GATEWAY, members: readonly Member[] = MEMBERS) {
  const directory = await tempDirectory()
  writeFileSync(join(directory, 'qemu.cjs'), script)
  const qemu = { file: process.execPath, args: [join(directory, 'qemu.cjs')], env: {} }
  const network = await startNetwork({ qemu, members, forwards: FORWARDS })
  onTestFinished(() => network.close())
  return { network, args: join(directory, 'arguments') }
}

function socketOf(network: VirtualNetwork, host: string): string {
  const link = network.linkOf(host)
  return link.kind === 'switch' ? link.socket : ''
}

describe('a virtual network', () => {
  it('forwards the ports of every host in one gateway that is no machine', async () => {
    const { args } = await fakeNetwork()
    const text = JSON.parse(readFileSync(args, 'utf8')).join(' ')
    expect(text).toContain('-M none ')
    expect(text).toContain(
      ',hostfwd=tcp:127.0.0.1:2201-10.0.10.11:22,hostfwd=tcp:127.0.0.1:2202-10.0.10.12:22 -netdev stream,',
    )
    expect(text.match(/hubport,id=\S+,hubid=0,netdev=(\S+)/g)).toHaveLength(2)
  })

  it('gives each host its own port and its own address', async () => {
    const { network } = await fakeNetwork()
    expect(network.linkOf('starbuck')).toMatchObject({ kind: 'switch', mac: macAddressOf('starbuck') })
    expect(socketOf(network, 'adama')).not.toBe(socketOf(network, 'starbuck'))
  })

  it('carries frames between the hosts and to the gateway', async () => {
    const { network } = await fakeNetwork()
    const [adama, starbuck] = [await station(socketOf(network, 'adama')), await station(socketOf(network, 'starbuck'))]
    const own = macAddressOf('adama')
    adama.send(frame(macAddressOf('starbuck'), own, 'hello'))
    adama.send(frame('52:55:0a:00:0a:01', own, 'echo'))
    await expect.poll(() => [adama.received, starbuck.received], { timeout: 30_000 }).toEqual([['echo'], ['hello']])
  })

  it('removes its sockets when it closes', async () => {
    const { network } = await fakeNetwork()
    const directory = dirname(socketOf(network, 'adama'))
    expect(existsSync(directory)).toBe(true)
    await network.close()
    await network.ended
    expect(existsSync(directory)).toBe(false)
  })

  it('reports a gateway that ends while the machines run', async () => {
    const { network } = await fakeNetwork()
    const adama = await station(socketOf(network, 'adama'))
    adama.send(frame('52:55:0a:00:0a:01', macAddressOf('adama'), 'end'))
    await expect(network.ended).rejects.toThrow('the gateway of the virtual network ended')
  })

  it('fails with the message of QEMU if the gateway cannot start', async () => {
    const failing = `console.error("Could not set up host forwarding rule 'tcp:127.0.0.1:2201'"); process.exit(1)`
    await expect(fakeNetwork(failing)).rejects.toMatchObject({
      message: "QEMU failed: Could not set up host forwarding rule 'tcp:127.0.0.1:2201'",
      hint: 'another program took the port in the meantime: start again',
    })
  })

  it('refuses hosts that cannot share a network', async () => {
    const far = {
      ...member('far', '10.0.20.12/24'),
      network: { ...member('far', '10.0.20.12/24').network, gateways: [] },
    }
    await expect(fakeNetwork(FAKE_GATEWAY, [...MEMBERS, far])).rejects.toThrow("'far' is in 10.0.20.0/24")
  })
})
