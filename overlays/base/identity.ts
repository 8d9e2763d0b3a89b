import type { IpAddress } from '../../images/ip-address.ts'
import { type FileTree, file, symlink } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'
import { type Lab, type LabHost, providerOf } from '../lab-facts.ts'
import { BASE_OFFER } from './offer.ts'

/** The host's name, time zone, and the names of the lab. Its keys and its machine id are on the identity partition. */
export function identityFiles(host: Host, lab: Lab): FileTree {
  const { name, timezone } = host
  return {
    '/etc/hostname': file(`${name}\n`),
    '/etc/hosts': file(hostsFile(host, lab)),
    // The initramfs mounts the machine id of the identity over this file. systemd takes a missing file for a first boot.
    '/etc/machine-id': file(''),
    '/etc/localtime': symlink(`/usr/share/zoneinfo/${timezone}`),
    '/etc/timezone': file(`${timezone}\n`),
    '/etc/fstab': file(''),
    '/etc/motd': file(''),
  }
}

/**
 * The names of the lab, so that neither the host nor its containers need a name server for them. Every host has the name
 * HOST.DOMAIN. A service has the name SERVICE.DOMAIN, with the addresses of the host that this host connects to.
 */
function hostsFile(host: Host, lab: Lab): string {
  const { domain } = lab.facts
  const own = `${host.name}.${host.network.domain}`
  const namesOf = (each: LabHost) => [
    ...(each.name === host.name ? [own, `${host.name}`] : []),
    ...[`${each.name}.${domain}`].filter((name) => each.name !== host.name || name !== own),
    ...servicesOf(lab, host, each).map((service) => `${service}.${domain}`),
  ]
  const line = (address: IpAddress, names: readonly string[]) => `${address} ${names.join(' ')}\n`
  const lines = lab.hosts.flatMap((each) => each.addresses.map((address) => line(address, namesOf(each))))
  return `127.0.0.1 localhost\n::1 localhost\n${lines.join('')}`
}

/** The services for which `host` connects to `other`. */
function servicesOf(lab: Lab, host: Host, other: LabHost): string[] {
  const offered = other.offers.map(({ name }) => name).filter((name) => name !== BASE_OFFER.name)
  return offered.filter((service) => providerOf(lab, host.name, service)?.name === other.name)
}
