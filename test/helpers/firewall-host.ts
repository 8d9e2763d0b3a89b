import { hostService, serviceSchema } from '../../hosts/schema/services.ts'
import { parseIpAddress } from '../../images/ip-address.ts'
import { parseHostName } from '../../images/names.ts'
import { firewallFiles } from '../../overlays/base/firewall.ts'
import { BASE_OFFER } from '../../overlays/base/offer.ts'
import type { ServiceUse, Use } from '../../overlays/container.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { labHost, labOf, renderServices } from '../../overlays/host-services.ts'
import type { Lab, LabHost } from '../../overlays/lab-facts.ts'
import type { Offer, Port } from '../../overlays/offer.ts'
import type { Service } from '../../overlays/service.ts'
import { findService } from '../../overlays/services/registry.ts'
import { textAt } from './file-tree.ts'
import { type HOST_FILE, testHost } from './host.ts'
import { testService } from './test-service.ts'

/** A service named by `name`, with one container. */
export interface SmallService {
  readonly name: string
  readonly user: string
  readonly ports?: readonly Port[]
  readonly uses?: readonly Use[]
}

export function port(number: number, reach: Port['reach'], protocol: Port['protocol'] = 'tcp'): Port {
  return { number, protocol, reach, purpose: `port ${number}`, web: false }
}

/** Another host of the lab. */
export function neighbour(
  name: string,
  addresses: readonly string[],
  {
    offers = [],
    uses = [],
  }: { readonly offers?: readonly Pick<Offer, 'name' | 'ports'>[]; readonly uses?: readonly ServiceUse[] },
): LabHost {
  const none = { metrics: [], alerts: [], dashboards: [], mqtt: [] }
  return {
    name: parseHostName(name),
    addresses: addresses.map(parseIpAddress),
    offers: [BASE_OFFER, ...offers.map((each) => ({ ...none, ...each }))],
    uses,
  }
}

/** A host that runs these services, in a lab with these other hosts. */
export function firewallHost(
  changes: Parameters<typeof testHost>[0],
  services: readonly SmallService[],
  neighbours: readonly LabHost[] = [],
) {
  const made = services.map(serviceOf)
  const find = (name: string): Service | undefined => made.find((each) => each.name === name) ?? findService(name)
  const plain = testHost({ services: {} as (typeof HOST_FILE)['services'], ...changes })
  const host: Host = {
    ...plain,
    services: [...plain.services, ...made.map((each) => hostService(each, limitsOf(each)))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
  }
  const alone = labOf(host, find)
  const lab: Lab = { ...alone, hosts: [labHost(host, find), ...neighbours].sort((a, b) => (a.name < b.name ? -1 : 1)) }
  return { host, services: renderServices(host, lab, find) }
}

/** The text of /etc/nftables.conf. */
export function rulesOf(
  { host, services }: ReturnType<typeof firewallHost>,
  ...networks: Parameters<typeof firewallFiles>[2][]
) {
  return textAt(firewallFiles(host, services, ...networks), '/etc/nftables.conf')
}

function serviceOf({ name, user, ports = [], uses = [] }: SmallService): Service {
  const health = { command: ['/usr/bin/true'], interval: 30 } as const
  const image = { source: 'debian', packages: ['coreutils'], tree: {} } as const
  return testService({
    name,
    ports: () => ports,
    containers: () => ({ [name]: { image, user, command: ['/usr/bin/true'], uses, health } }),
  })
}

function limitsOf(service: Service) {
  return serviceSchema(service).parse({ memory: service.memory }) as unknown as Parameters<typeof hostService>[1]
}
