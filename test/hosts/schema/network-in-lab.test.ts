import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../hosts/schema/host.ts'
import { host } from '../../../hosts/schema/host.ts'
import { defineLab, type LabFile } from '../../../hosts/schema/lab-file.ts'
import { networkProblem } from '../../../hosts/schema/network-problem.ts'
import { hostInLab } from '../../../hosts/schema/plan.ts'
import { HOST_FILE } from '../../helpers/host.ts'
import { randomFrom } from '../../power-cut/random.ts'

const NETWORKS = {
  home: {
    vlan: 10,
    subnet: ['10.0.10.0/24', 'fd00:10::/64'],
    gateway: ['10.0.10.1', 'fe80::1'],
    dns: ['10.0.10.2', 'fd00:10::2'],
  },
  things: { vlan: 20, subnet: '10.0.20.0/24', gateway: '10.0.20.1' },
  quiet: { vlan: 30, subnet: '10.0.30.0/24' },
}
const joined = (network: HostFile['network'], file: LabFile = { domain: 'home', networks: NETWORKS }) =>
  hostInLab(host({ ...HOST_FILE, network }), defineLab(file)).network

describe('the network of a host in its lab', () => {
  it('has the gateway, the name servers and the domain of the lab', () => {
    expect(joined({ address: '10.0.10.11/24' })).toEqual({
      addresses: [{ address: '10.0.10.11', prefix: 24 }],
      ...{ gateways: ['10.0.10.1'], dns: ['10.0.10.2'], domain: 'home' },
    })
  })

  it('has the values of the lab for each family that the host has', () => {
    expect(joined({ address: ['10.0.10.11/24', 'fd00:10::11/64'] })).toMatchObject({
      gateways: ['10.0.10.1', 'fe80::1'],
      dns: ['10.0.10.2', 'fd00:10::2'],
    })
    expect(joined({ address: 'fd00:10::11/64' })).toMatchObject({ gateways: ['fe80::1'], dns: ['fd00:10::2'] })
  })

  it('has one gateway for each family if the host is in two networks', () => {
    const { gateways, dns } = joined({ address: ['10.0.20.11/24', '10.0.10.11/24'] })
    expect([gateways, dns]).toEqual([['10.0.20.1'], ['10.0.20.1', '10.0.10.2']])
  })

  it('has the values of the host file first', () => {
    const own = { gateway: '10.0.10.254', dns: '9.9.9.9', domain: 'own', jump: 'bastion' }
    expect(joined({ address: '10.0.10.11/24', ...own })).toMatchObject({
      ...{ gateways: ['10.0.10.254'], dns: ['9.9.9.9'], domain: 'own', jump: 'bastion' },
    })
  })

  it('needs only the host file if the lab has no networks', () => {
    expect(joined({ address: '192.0.2.10/24', gateway: '192.0.2.1' }, {})).toMatchObject({
      ...{ gateways: ['192.0.2.1'], dns: ['192.0.2.1'], domain: 'lab' },
    })
  })

  it.each([
    ['10.0.40.11/24', "no network in hosts/lab.ts contains '10.0.40.11', and the host file names no gateway"],
    ['10.0.30.11/24', "the network of '10.0.30.11' in hosts/lab.ts has no gateway for the host"],
  ])('needs a gateway in one of the two files: %s', (address, message) => {
    expect(() => joined({ address })).toThrow(
      expect.objectContaining({
        ...{ name: 'UserError', code: 'host' },
        message: `hosts/tiny.ts at 'network': ${message}`,
        hint: "set 'network.gateway' in hosts/tiny.ts, or the network and its 'gateway' in hosts/lab.ts",
      }),
    )
  })

  it('refuses the address of the gateway', () => {
    expect(() => joined({ address: '10.0.10.1/24' })).toThrow(
      "hosts/tiny.ts at 'network.address': '10.0.10.1' is the address of the gateway",
    )
  })

  it('is as valid as a complete host file, for any addresses in the networks of the lab', () => {
    const subnets = [
      ...[1, 2, 3].map((net) => (at: number) => `10.0.${net}0.${at}/24`),
      (at: number) => `fd00:10::${at.toString(16)}/64`,
    ]
    for (let seed = 0; seed < 300; seed++) {
      const random = randomFrom(11, seed)
      const below = (count: number) => Math.floor(random() * count)
      const address = Array.from(
        { length: 1 + below(4) },
        (_, at) => subnets[below(4)]?.(10 * at + 3 + below(10)) ?? '',
      )
      // The network 10.0.30.0/24 has no gateway.
      if (address.every((each) => each.startsWith('10.0.30.'))) {
        expect(() => joined({ address })).toThrow('has no gateway')
      } else {
        const { addresses, gateways, dns } = joined({ address })
        expect([address, networkProblem({ address: addresses, gateway: gateways, dns })]).toEqual([address, undefined])
      }
    }
  })
})
