import { describe, expect, it } from 'vitest'
import type { SshProxy } from '../../../flash/ssh/jump.ts'
import { sshFailure, type WantedHost } from '../../../flash/ssh/ssh-failure.ts'

const WANTED: WantedHost = {
  ...{ host: 'adama', at: '10.0.10.11:2222', address: '10.0.10.11' },
  ...{ pinned: ['SHA256:pinned'], pinnedTypes: ['ED25519'], keyFile: '/keys/ssh_key' },
}
const JUMP: SshProxy = {
  ...{ name: "the jump host 'me@bastion:2200'", command: 'ssh' },
  ...{ login: 'ssh -l me -p 2200 bastion', tryByHand: 'ssh -l me -p 2200 bastion, and there: nc -vz 10.0.10.11 2222' },
}
const COMMAND: SshProxy = {
  ...{ name: "the ProxyCommand of '/home/me/.ssh/config'", command: 'nc %h %p' },
  ...{ login: 'ssh -p 2222 root@adama', tryByHand: 'ssh -p 2222 root@adama' },
}

describe('sshFailure', () => {
  it.each<[string, string, string, string]>([
    ['a user without a name', 'No user exists for uid 1234', 'program', 'user 1234 has no entry in /etc/passwd'],
    [
      'an unsafe configuration file',
      'Bad owner or permissions on /home/me/.ssh/config',
      'program',
      'ssh failed on this machine before it reached',
    ],
    [
      'a forbidden connection',
      'ssh: connect to host 10.0.10.11 port 22: Operation not permitted',
      'program',
      'ssh failed on this machine before it reached',
    ],
    [
      'an address that does not answer',
      'ssh: connect to host 10.0.10.11 port 22: No route to host',
      'unreachable',
      "cannot reach 'adama' (10.0.10.11:2222): connect to host 10.0.10.11 port 22: No route to host",
    ],
    [
      'pinned keys that ssh did not find',
      'No ED25519 host key is known for adama and you have requested strict checking.\nHost key verification failed.',
      'program',
      "did not use the pinned host keys of 'adama'",
    ],
    [
      'another key',
      'WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.',
      'host-key',
      "the machine at 10.0.10.11:2222 is not 'adama'",
    ],
    [
      'a login key that other users can read',
      'WARNING: UNPROTECTED PRIVATE KEY FILE!\nroot@10.0.10.11: Permission denied (publickey).',
      'login',
      "ssh does not use the key '/keys/ssh_key': other users can read it",
    ],
    [
      'a refused login',
      'root@10.0.10.11: Permission denied (publickey).',
      'login',
      "'adama' (10.0.10.11:2222) refuses the key '/keys/ssh_key'",
    ],
    ['an unknown reason', 'ssh: a new message', 'unreachable', 'ssh ended with: a new message'],
    ['no reason', '', 'unreachable', 'ssh ended without a reason'],
  ])('reports %s', (_, stderr, code, message) => {
    expect(sshFailure(WANTED, stderr)).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  it.each<[string, SshProxy, string, string]>([
    [
      'a jump host that refuses the login',
      JUMP,
      'me@bastion: Permission denied (publickey).\nConnection closed by UNKNOWN port 65535',
      'log in once by hand: ssh -l me -p 2200 bastion. hangar asks for no password there: use a key, or an ssh-agent',
    ],
    [
      'a jump host with an unknown key',
      JUMP,
      'Host key verification failed.\nConnection closed by UNKNOWN port 65535',
      'compare its key with the fingerprint that its owner gave you: ssh -l me -p 2200 bastion',
    ],
    [
      'a jump host that does not reach the host',
      JUMP,
      'channel 0: open failed: connect failed: No route to host\nstdio forwarding failed',
      'try the way by hand: ssh -l me -p 2200 bastion, and there: nc -vz 10.0.10.11 2222',
    ],
    [
      'a ProxyCommand that does not reach the host',
      COMMAND,
      'nc: connect to 10.0.10.11 port 2222 (tcp) timed out',
      'try the way by hand: ssh -p 2222 root@adama',
    ],
  ])('names the command that tries the way by hand for %s', (_, proxy, stderr, hint) => {
    const { message, hint: given } = sshFailure({ ...WANTED, proxy }, stderr)
    expect(message).toContain(proxy.name)
    expect(given).toBe(hint)
  })
})
