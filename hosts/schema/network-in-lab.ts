import { UserError } from '../../errors.ts'
import { familyOf, type IpAddress, isInNetwork } from '../../images/ip-address.ts'
import { isLinkLocal } from '../../images/machine-address.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { type LabFacts, networkOf } from '../../overlays/lab-facts.ts'
import type { DeclaredNetwork } from './network.ts'

/** The network of a host. Values that the host file leaves out come from the lab's networks that contain its addresses. */
export function networkInLab(host: string, declared: DeclaredNetwork, facts: LabFacts): Host['network'] {
  const { addresses, jump } = declared
  const networks = new Set(addresses.flatMap(({ address }) => networkOf(facts, address) ?? []))
  const families = new Set(addresses.map(({ address }) => familyOf(address)))
  const ofFamily = (each: IpAddress) => families.has(familyOf(each))
  const isNear = (each: IpAddress) => isLinkLocal(each) || addresses.some((own) => isInNetwork(each, own))
  const routers = [...networks].flatMap((each) => each.gateways).filter((each) => ofFamily(each) && isNear(each))
  const gateways = declared.gateways ?? oneOfEach(routers)
  if (gateways.length === 0) throw noGateway(host, declared, networks.size > 0)
  checkOwn(host, declared, gateways)
  const servers = [...new Set([...networks].flatMap(({ dns }) => dns.filter(ofFamily)))]
  return {
    addresses,
    gateways,
    dns: declared.dns ?? (servers.length > 0 ? servers : gateways),
    domain: declared.domain ?? facts.domain,
    ...(jump === undefined ? {} : { jump }),
  }
}

/** The first gateway of each family: a host with addresses in two networks has one default route. */
function oneOfEach(gateways: readonly IpAddress[]): IpAddress[] {
  return gateways.filter((each, at) => gateways.findIndex((other) => familyOf(other) === familyOf(each)) === at)
}

function noGateway(host: string, { addresses }: DeclaredNetwork, isInNetwork: boolean): UserError {
  const listed = addresses.map(({ address }) => `'${address}'`).join(' and ')
  const reason = isInNetwork
    ? `the network of ${listed} in hosts/lab.ts has no gateway for the host`
    : `no network in hosts/lab.ts contains ${listed}, and the host file names no gateway`
  return new UserError('host', `hosts/${host}.ts at 'network': ${reason}`, {
    hint: `set 'network.gateway' in hosts/${host}.ts, or the network and its 'gateway' in hosts/lab.ts`,
    cause: { path: ['network'] },
  })
}

function checkOwn(host: string, { addresses }: DeclaredNetwork, gateways: readonly IpAddress[]): void {
  const own = addresses.find(({ address }) => gateways.includes(address))
  if (own === undefined) return
  throw new UserError('host', `hosts/${host}.ts at 'network.address': '${own.address}' is the address of the gateway`, {
    hint: `choose another 'network.address' in hosts/${host}.ts, or correct the 'gateway' in hosts/lab.ts`,
    cause: { path: ['network', 'address'] },
  })
}
