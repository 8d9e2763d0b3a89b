import { describe, expect, it } from 'vitest'
import { directory, file, mergeTrees, symlink } from '../../images/tree.ts'

describe('the entries of a tree', () => {
  it('entries of a tree belong to root and are readable for all by default', () => {
    expect(file('text')).toEqual({ kind: 'file', mode: 0o644, content: 'text', uid: 0, gid: 0 })
    expect(directory()).toEqual({ kind: 'directory', mode: 0o755, uid: 0, gid: 0 })
    expect(file('text', 0o600, { uid: 120, gid: 121 })).toMatchObject({ mode: 0o600, uid: 120, gid: 121 })
    expect(directory(0o2775, { uid: 120, gid: 121 })).toMatchObject({ mode: 0o2775, uid: 120, gid: 121 })
    expect(symlink('../usr/lib')).toEqual({ kind: 'symlink', target: '../usr/lib' })
  })
})

describe('mergeTrees', () => {
  it('returns the entries of all trees', () => {
    const merged = mergeTrees({
      base: { '/etc/hostname': file('adama\n') },
      mosquitto: { '/etc/mosquitto': directory(), '/etc/mosquitto/conf': file('listener 1883\n') },
    })
    expect(Object.keys(merged)).toEqual(['/etc/hostname', '/etc/mosquitto', '/etc/mosquitto/conf'])
    expect(merged['/etc/hostname']).toEqual(file('adama\n'))
  })

  it('accepts two trees with equal entries for one path', () => {
    const one = { '/srv': directory(), '/srv/key': file(Buffer.from([1, 2])) }
    expect(mergeTrees({ a: one, b: { ...one, '/srv/key': file(Buffer.from([1, 2])) } })).toEqual(one)
  })

  it.each([
    ['content', file('other')],
    ['bytes instead of text', file(Buffer.from('text'))],
    ['mode', file('text', 0o600)],
    ['owner', file('text', 0o644, { uid: 1, gid: 0 })],
    ['group', file('text', 0o644, { uid: 0, gid: 1 })],
    ['kind', symlink('text')],
  ])('refuses two trees whose entries for one path differ in %s, and names them', (_what, entry) => {
    const trees = { base: { '/etc/a': file('text') }, between: {}, prometheus: { '/etc/a': entry } }
    expect(() => mergeTrees(trees)).toThrow(
      expect.objectContaining({
        code: 'host',
        message: "the overlays 'base' and 'prometheus' both write '/etc/a', with different content, mode or owner",
      }),
    )
  })
})
