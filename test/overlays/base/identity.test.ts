import { describe, expect, it } from 'vitest'
import { identityFiles } from '../../../overlays/base/identity.ts'
import { textAt } from '../../helpers/file-tree.ts'
import { testHost } from '../../helpers/host.ts'

describe('identityFiles', () => {
  const tree = identityFiles(testHost({ timezone: 'Europe/Zurich' }))

  it("the host's identity files contain the name, the address and the time zone", () => {
    expect(textAt(tree, '/etc/hostname')).toBe('tiny\n')
    expect(textAt(tree, '/etc/hosts')).toContain('192.0.2.10 tiny.lab tiny\n')
    expect(tree['/etc/localtime']).toEqual({ kind: 'symlink', target: '/usr/share/zoneinfo/Europe/Zurich' })
  })

  it('/etc/hosts gives the name each address of the host, in one spelling', () => {
    const network = { address: ['192.0.2.10/24', '2001:DB8::0010/64'], gateway: 'fe80::1' }
    expect(textAt(identityFiles(testHost({ network })), '/etc/hosts')).toBe(
      '127.0.0.1 localhost\n::1 localhost\n192.0.2.10 tiny.lab tiny\n2001:db8::10 tiny.lab tiny\n',
    )
  })

  it('the image contains an empty /etc/machine-id, which the identity replaces at boot', () => {
    expect(textAt(tree, '/etc/machine-id')).toBe('')
  })
})
