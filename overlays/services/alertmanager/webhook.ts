import { type IpAddress, ipAddress } from '../../../images/ip-address.ts'
import type { Use } from '../../container.ts'
import type { Lab } from '../../lab-facts.ts'

/** The server of a webhook, for the firewall. A name that is no host of the lab is a name of the internet. */
export function webhookUses(webhook: string | undefined, lab: Lab): Use[] {
  if (webhook === undefined) return []
  const { hostname, port, protocol } = new URL(webhook)
  const ports = [['tcp', port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)]] as const
  const addresses = addressesOf(hostname.replace(/^\[|\]$/g, ''), lab)
  return addresses === undefined ? [{ internet: ports }] : addresses.map((machine) => ({ machine, ports }))
}

/** The addresses of an address, of this host, or of a host of the lab; undefined for another name. */
function addressesOf(name: string, { facts, hosts }: Lab): readonly IpAddress[] | undefined {
  const address = ipAddress(name)
  if (address !== undefined) return [address]
  if (name === 'localhost') return ['127.0.0.1', '::1'] as IpAddress[]
  return hosts.find((host) => name === host.name || name === `${host.name}.${facts.domain}`)?.addresses
}
