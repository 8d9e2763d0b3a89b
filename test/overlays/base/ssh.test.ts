import { describe, expect, it } from 'vitest'
import { sshFiles } from '../../../overlays/base/ssh.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'

const SETTINGS = '/etc/ssh/sshd_config.d/10-hangar.conf'
const KEYS = '/etc/ssh/authorized_keys/root'

describe('ssh', () => {
  it('takes keys and nothing else', () => {
    const lines = linesAt(sshFiles([]), SETTINGS)
    expect(lines).toEqual(expect.arrayContaining(['AuthenticationMethods publickey', 'PasswordAuthentication no']))
    expect(lines).toEqual(
      expect.arrayContaining(['KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password']),
    )
  })

  it("takes the image's keys only, none that is in somebody's home directory", () => {
    const [where] = linesAt(sshFiles([]), SETTINGS).filter((line) => line.startsWith('AuthorizedKeysFile'))
    expect(where?.replace('%u', 'root')).toBe(`AuthorizedKeysFile ${KEYS}`)
  })

  it('lets each of the given keys in, a line each', () => {
    expect(textAt(sshFiles(['ssh-ed25519 AAAA a', 'ssh-ed25519 BBBB b']), KEYS)).toBe(
      'ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n',
    )
    expect(textAt(sshFiles([]), KEYS)).toBe('')
  })

  it("has the host's own key from the identity, never from the image", () => {
    const tree = sshFiles(['ssh-ed25519 AAAA a'])
    expect(linesAt(tree, SETTINGS)).toContain('HostKey /run/hangar/identity/ssh/ssh_host_ed25519_key')
    expect(JSON.stringify(tree)).not.toContain('PRIVATE KEY')
  })

  it('lets nobody but root change who may log in', () => {
    expect(sshFiles([])[KEYS]).toMatchObject({ uid: 0, gid: 0, mode: 0o644 })
  })
})
