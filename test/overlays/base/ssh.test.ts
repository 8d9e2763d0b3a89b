import { describe, expect, it } from 'vitest'
import { sshFiles } from '../../../overlays/base/ssh.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'

const SETTINGS = '/etc/ssh/sshd_config.d/10-hangar.conf'
const KEYS = '/etc/ssh/authorized_keys/root'

describe('sshFiles', () => {
  it('accepts public keys only', () => {
    const lines = linesAt(sshFiles([]), SETTINGS)
    expect(lines).toEqual(expect.arrayContaining(['AuthenticationMethods publickey', 'PasswordAuthentication no']))
    expect(lines).toEqual(
      expect.arrayContaining(['KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password']),
    )
  })

  it('reads authorized keys from the image, and none from home directories', () => {
    const [setting] = linesAt(sshFiles([]), SETTINGS).filter((line) => line.startsWith('AuthorizedKeysFile'))
    expect(setting?.replace('%u', 'root')).toBe(`AuthorizedKeysFile ${KEYS}`)
  })

  it('writes each key on a line of its own', () => {
    expect(textAt(sshFiles(['ssh-ed25519 AAAA a', 'ssh-ed25519 BBBB b']), KEYS)).toBe(
      'ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n',
    )
    expect(textAt(sshFiles([]), KEYS)).toBe('')
  })

  it('reads the host key from the identity, and has none in the image', () => {
    const tree = sshFiles(['ssh-ed25519 AAAA a'])
    expect(linesAt(tree, SETTINGS)).toContain('HostKey /run/hangar/identity/ssh/ssh_host_ed25519_key')
    expect(JSON.stringify(tree)).not.toContain('PRIVATE KEY')
  })

  it('makes the authorized keys writable by root only', () => {
    expect(sshFiles([])[KEYS]).toMatchObject({ uid: 0, gid: 0, mode: 0o644 })
  })
})
