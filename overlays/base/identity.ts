import { type FileTree, file, symlink } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'

/** The host's name, addresses and time zone. Its keys and its machine id are on the identity partition. */
export function identityFiles({ name, network, timezone }: Host): FileTree {
  const own = network.addresses.map(({ address }) => `${address} ${name}.${network.domain} ${name}\n`)
  return {
    '/etc/hostname': file(`${name}\n`),
    '/etc/hosts': file(`127.0.0.1 localhost\n::1 localhost\n${own.join('')}`),
    // The initramfs mounts the machine id of the identity over this file. systemd takes a missing file for a first boot.
    '/etc/machine-id': file(''),
    '/etc/localtime': symlink(`/usr/share/zoneinfo/${timezone}`),
    '/etc/timezone': file(`${timezone}\n`),
    '/etc/fstab': file(''),
    '/etc/motd': file(''),
  }
}
