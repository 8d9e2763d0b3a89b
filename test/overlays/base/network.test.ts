import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MODULE_GROUPS } from '../../../images/kernel/modules.ts'
import { networkFiles } from '../../../overlays/base/network.ts'
import { linesAt } from '../../helpers/file-tree.ts'
import { testHost } from '../../helpers/host.ts'

const NETWORK = '/etc/systemd/network/10-lab.network'
const COLDPLUG = '/etc/systemd/system/systemd-udev-trigger.service.d/hangar.conf'

describe('the network', () => {
  const network = { address: '192.0.2.10/25', gateway: '192.0.2.1', dns: ['192.0.2.2', '192.0.2.3'], domain: 'home' }
  const tree = networkFiles(testHost({ network }))

  it('the network uses the address, the gateway and the name servers of the host file, and no DHCP', () => {
    const lines = linesAt(tree, NETWORK)
    expect(lines).toEqual(expect.arrayContaining(['Address=192.0.2.10/25', 'Gateway=192.0.2.1', 'Domains=home']))
    expect(lines.filter((line) => line.startsWith('DNS='))).toEqual(['DNS=192.0.2.2', 'DNS=192.0.2.3'])
    expect(lines.filter((line) => line.startsWith('DHCP='))).toEqual([])
    expect(lines).toContain('IPv6AcceptRA=no')
  })

  it('the network uses IPv6 as it uses IPv4, and no addresses or routes that a router announces', () => {
    const lines = (given: Parameters<typeof testHost>[0]) => linesAt(networkFiles(testHost(given)), NETWORK)
    const settings = (given: Parameters<typeof testHost>[0]) =>
      lines(given).filter((line) => /^(Address|Gateway|DNS|IPv6AcceptRA)=/.test(line))
    expect(settings({ network: { address: 'FD00:0::0010/64', gateway: 'FE80::1' } })).toEqual([
      ...['Address=fd00::10/64', 'Gateway=fe80::1', 'DNS=fe80::1', 'IPv6AcceptRA=no'],
    ])
    const both = { address: ['192.0.2.10/24', 'fd00::10/64'], gateway: ['192.0.2.1', 'fe80::1'], dns: 'fd00::53' }
    expect(settings({ network: both })).toEqual([
      ...['Address=192.0.2.10/24', 'Address=fd00::10/64', 'Gateway=192.0.2.1', 'Gateway=fe80::1', 'DNS=fd00::53'],
      'IPv6AcceptRA=no',
    ])
    const without = (text: readonly string[]) => text.filter((line) => !/^(Address|Gateway|DNS)=/.test(line))
    expect(without(lines({ network: both }))).toEqual(without(lines({})))
  })

  it('the network configuration matches Ethernet names on a board and in a virtual machine, and no other interface', () => {
    const [names = ''] = linesAt(tree, NETWORK).filter((line) => line.startsWith('Name='))
    const patterns = names.slice('Name='.length).split(' ')
    const matches = (name: string) => patterns.some((pattern) => name.startsWith(pattern.replace('*', '')))
    expect(['end0', 'enp0s1', 'eth0'].filter(matches)).toEqual(['end0', 'enp0s1', 'eth0'])
    expect(['lo', 'wlan0', 'podman0', 'veth0'].filter(matches)).toEqual([])
  })

  it('loads the network drivers before udev looks for other devices, as modules of the kernel', () => {
    const drivers = linesAt(tree, '/etc/modules-load.d/hangar-network.conf').filter(Boolean)
    expect(drivers).toEqual(['macb', 'virtio_net'])
    const inKernel = MODULE_GROUPS.flatMap(({ modules }) => modules).map((path) => basename(path))
    expect(inKernel).toEqual(expect.arrayContaining(drivers))
    expect(linesAt(tree, COLDPLUG)).toContain('After=systemd-modules-load.service')
  })

  it('triggers no udev events for drivers and modules', () => {
    const commands = linesAt(tree, COLDPLUG).filter((line) => line.startsWith('ExecStart='))
    // The empty ExecStart= removes the command of the package's unit.
    expect(commands).toEqual(['ExecStart=', expect.stringMatching(/^ExecStart=-udevadm trigger --type=devices /)])
  })

  it('resolves names with systemd-resolved, which announces nothing on the network', () => {
    expect(tree['/etc/resolv.conf']).toEqual({ kind: 'symlink', target: '../run/systemd/resolve/stub-resolv.conf' })
    const lines = linesAt(tree, '/etc/systemd/resolved.conf.d/lab.conf')
    expect(lines).toEqual(expect.arrayContaining(['LLMNR=no', 'MulticastDNS=no', 'FallbackDNS=']))
  })
})
