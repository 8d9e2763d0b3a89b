import { type IpAddress, ipAddress } from '../../../images/ip-address.ts'
import { hostOfServer, portOfServer } from '../../../images/server-address.ts'
import type { Use } from '../../container.ts'
import type { AlertReceivers, Lab } from '../../lab-facts.ts'

/** The servers of the receivers, for the firewall. A name that is no host of the lab is a name of the internet. */
export function connectionsOf({ webhook, mail }: AlertReceivers, lab: Lab): Use[] {
  const servers = [
    ...(webhook === undefined ? [] : [serverOfUrl(new URL(webhook))]),
    ...(mail === undefined ? [] : [{ name: hostOfServer(mail.server), port: portOfServer(mail.server) }]),
  ]
  return servers.flatMap(({ name, port }): Use[] => {
    const ports = [['tcp', port]] as const
    const addresses = addressesOf(name, lab)
    return addresses === undefined ? [{ internet: ports }] : addresses.map((machine) => ({ machine, ports }))
  })
}

function serverOfUrl({ hostname, port, protocol }: URL): { readonly name: string; readonly port: number } {
  const standard = protocol === 'https:' ? 443 : 80
  return { name: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? standard : Number(port) }
}

/** The addresses of an address, of this host, or of a host of the lab; undefined for another name. */
function addressesOf(name: string, { facts, hosts }: Lab): readonly IpAddress[] | undefined {
  const address = ipAddress(name)
  if (address !== undefined) return [address]
  if (name === 'localhost') return ['127.0.0.1', '::1'] as IpAddress[]
  return hosts.find((host) => name === host.name || name === `${host.name}.${facts.domain}`)?.addresses
}
