import { type FileTree, file, symlink } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'

/** Who the host is, as far as its image may say: what is secret or its own lies on the identity partition. */
export function identityFiles({ name, network, timezone }: Host): FileTree {
  return {
    '/etc/hostname': file(`${name}\n`),
    '/etc/hosts': file(`127.0.0.1 localhost\n::1 localhost\n${network.address} ${name}.${network.domain} ${name}\n`),
    // The initramfs binds the identity's own over it; systemd would take a missing file for a first boot.
    '/etc/machine-id': file(''),
    '/etc/localtime': symlink(`/usr/share/zoneinfo/${timezone}`),
    '/etc/timezone': file(`${timezone}\n`),
    '/etc/fstab': file(''),
    '/etc/motd': file(''),
  }
}
