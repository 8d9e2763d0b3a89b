import { describe, expect, it } from 'vitest'
import { labOfHosts } from '../../../hosts/schema/plan.ts'
import { parseDomainName } from '../../../images/names.ts'
import { identityFiles } from '../../../overlays/base/identity.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { labOf } from '../../../overlays/host-services.ts'
import { DEFAULT_FACTS, type LabFacts } from '../../../overlays/lab-facts.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'
import { testHost } from '../../helpers/host.ts'

describe('identityFiles', () => {
  const treeOf = (host: Host) => identityFiles(host, labOf(host))
  const tree = treeOf(testHost({ timezone: 'Europe/Zurich' }))

  it("the host's identity files contain the name, the address and the time zone", () => {
    expect(textAt(tree, '/etc/hostname')).toBe('tiny\n')
    expect(textAt(tree, '/etc/hosts')).toContain('192.0.2.10 tiny.lab tiny mosquitto.lab prometheus.lab\n')
    expect(tree['/etc/localtime']).toEqual({ kind: 'symlink', target: '/usr/share/zoneinfo/Europe/Zurich' })
  })

  it('/etc/hosts gives the name each address of the host, in one spelling', () => {
    const network = { address: ['192.0.2.10/24', '2001:DB8::0010/64'], gateway: 'fe80::1' }
    expect(textAt(treeOf(testHost({ network, services: {} })), '/etc/hosts')).toBe(
      '127.0.0.1 localhost\n::1 localhost\n192.0.2.10 tiny.lab tiny\n2001:db8::10 tiny.lab tiny\n',
    )
  })

  describe('in a lab with other hosts', () => {
    const services = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { memory: '64 MiB' }]))
    const at = (name: string, last: number, ...names: string[]) =>
      testHost({ name, network: { address: `192.0.2.${last}/24`, gateway: '192.0.2.1' }, services: services(...names) })
    const adama = at('adama', 11, 'mosquitto', 'prometheus')
    const boomer = at('boomer', 12, 'prometheus', 'alertmanager')
    const starbuck = at('starbuck', 13)
    const hostsOf = (host: Host, facts: Partial<LabFacts> = {}) =>
      linesAt(
        identityFiles(host, labOfHosts({ ...DEFAULT_FACTS, ...facts }, [starbuck, boomer, adama])),
        '/etc/hosts',
      ).slice(2, -1)

    it('/etc/hosts names every host, and each service at the host that runs it', () => {
      expect(hostsOf(starbuck)).toEqual([
        '192.0.2.11 adama.lab mosquitto.lab',
        '192.0.2.12 boomer.lab alertmanager.lab',
        '192.0.2.13 starbuck.lab starbuck',
      ])
    })

    it('the name of a service that several hosts run leads to the own host, otherwise to the provider of the lab', () => {
      const facts = { providers: { prometheus: boomer.name } }
      expect(hostsOf(starbuck, facts)[1]).toBe('192.0.2.12 boomer.lab alertmanager.lab prometheus.lab')
      expect(hostsOf(adama, facts)).toEqual([
        '192.0.2.11 adama.lab adama mosquitto.lab prometheus.lab',
        '192.0.2.12 boomer.lab alertmanager.lab',
        '192.0.2.13 starbuck.lab',
      ])
    })

    it('a host with a domain of its own has a name in both domains', () => {
      const own = { ...starbuck, network: { ...starbuck.network, domain: parseDomainName('own') } }
      expect(hostsOf(own).at(-1)).toBe('192.0.2.13 starbuck.own starbuck starbuck.lab')
    })
  })

  it('the image contains an empty /etc/machine-id, which the identity replaces at boot', () => {
    expect(textAt(tree, '/etc/machine-id')).toBe('')
  })
})
