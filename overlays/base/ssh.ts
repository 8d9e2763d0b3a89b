import { type FileTree, file } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'
import { distinctKeys } from './public-keys.ts'

/**
 * sshd accepts public keys only. The host key is on the identity partition. The authorized keys are in the read-only image, so
 * that no program on the host can add one.
 */
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
        // Ends a dead connection within five minutes, because a dead connection would hold the lock of an update.
        'ClientAliveInterval 60',
        'ClientAliveCountMax 5',
        '',
      ].join('\n'),
    ),
    '/etc/ssh/authorized_keys/root': file(keys.map((key) => `${key}\n`).join('')),
  }
}

/** The public keys that may log in: those of the host file, and the owner's. */
export function authorizedKeys(host: Host, owner: readonly string[]): string[] {
  return distinctKeys([...host.ssh.keys, ...owner])
}
