import { describe, expect, it } from 'vitest'
import { identityFiles } from '../../../overlays/base/identity.ts'
import { textAt } from '../../helpers/file-tree.ts'
import { testHost } from '../../helpers/host.ts'

describe('what an image says of who the host is', () => {
  const tree = identityFiles(testHost({ timezone: 'Europe/Zurich' }))

  it('is its name, its address and its time zone', () => {
    expect(textAt(tree, '/etc/hostname')).toBe('tiny\n')
    expect(textAt(tree, '/etc/hosts')).toContain('192.0.2.10 tiny.lab tiny\n')
    expect(tree['/etc/localtime']).toEqual({ kind: 'symlink', target: '/usr/share/zoneinfo/Europe/Zurich' })
  })

  it("has a place for the machine's id, and none in it", () => {
    expect(textAt(tree, '/etc/machine-id')).toBe('')
  })
})
