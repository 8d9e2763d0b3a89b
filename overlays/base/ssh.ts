import { type FileTree, file } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'
import { distinctKeys } from './public-keys.ts'

/** Keys only. The host's own key is on the identity partition; who may log in is in the image, where nobody can add to it. */
export function sshFiles(keys: readonly string[]): FileTree {
  return {
    '/etc/ssh/sshd_config.d/10-hangar.conf': file(
      [
        'HostKey /run/hangar/identity/ssh/ssh_host_ed25519_key',
        'AuthorizedKeysFile /etc/ssh/authorized_keys/%u',
        'AuthenticationMethods publickey',
        'PubkeyAuthentication yes',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'PermitRootLogin prohibit-password',
        'X11Forwarding no',
        'UseDNS no',
        // A connection whose other end is gone ends within five minutes: what it held, like the lock of an update, is free.
        'ClientAliveInterval 60',
        'ClientAliveCountMax 5',
        '',
      ].join('\n'),
    ),
    '/etc/ssh/authorized_keys/root': file(keys.map((key) => `${key}\n`).join('')),
  }
}

/** Who may log in: the keys that the host file names, and the owner's own. */
export function authorizedKeys(host: Host, owner: readonly string[]): string[] {
  return distinctKeys([...host.ssh.keys, ...owner])
}
