import { describe, expect, it } from 'vitest'
import {
  findChanges,
  isLeftBehindByContainers,
  judgeContent,
  targetPath,
} from '../../../../images/layers/base/carry.ts'
import type { Seen } from '../../../../images/layers/parts/walk.ts'

const seen = (given: Partial<Seen> = {}): Seen => ({
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 1,
  mtime: 1,
  ctime: 1,
  inode: 1,
  target: '',
  ...given,
})
const directory = seen({ kind: 'directory', mode: 0o755 })

describe('findChanges', () => {
  it('carries a file that scripts created', () => {
    const changes = findChanges(new Map(), new Map([['/etc/made', seen()]]))
    expect(changes).toEqual({ carried: ['/etc/made'], deleted: [] })
  })

  it('carries the deletion of a file', () => {
    expect(findChanges(new Map([['/etc/gone', seen()]]), new Map())).toEqual({ carried: [], deleted: ['/etc/gone'] })
  })

  it.each<[string, Partial<Seen>]>([
    ['content', { ctime: 2, mtime: 2 }],
    ['mode', { mode: 0o4754, ctime: 2 }],
    ['owner', { gid: 100, ctime: 2 }],
    ['an extended attribute, which only updates ctime', { ctime: 2 }],
    ['the inode', { inode: 7 }],
  ])('carries a shipped file after a change of %s', (_what, change) => {
    const changes = findChanges(new Map([['/usr/bin/x', seen()]]), new Map([['/usr/bin/x', seen(change)]]))
    expect(changes.carried).toEqual(['/usr/bin/x'])
  })

  it('does not carry a directory because a file was created in it', () => {
    const after = { ...directory, ctime: 9, mtime: 9, size: 9 }
    expect(findChanges(new Map([['/etc', directory]]), new Map([['/etc', after]])).carried).toEqual([])
  })

  it('carries a directory with another mode', () => {
    const after = { ...directory, mode: 0o700 }
    expect(findChanges(new Map([['/etc/credstore', directory]]), new Map([['/etc/credstore', after]])).carried).toEqual(
      ['/etc/credstore'],
    )
  })

  it.each([
    '/etc/ssh/ssh_host_ed25519_key',
    '/etc/ld.so.cache',
    '/etc/machine-id',
    '/var/lib/dbus/machine-id',
    '/var/lib/dpkg/status',
    '/run/x',
    '/etc/passwd-',
    '/var/log/dpkg.log',
    '/usr/lib/python3/dist-packages/__pycache__/six.cpython-313.pyc',
  ])('never carries %s', (path) => {
    expect(findChanges(new Map(), new Map([[path, seen()]])).carried).toEqual([])
  })

  it.each([
    ['/etc/passwd', 'container has its own'],
    ['/var/lib/dpkg/alternatives/awk', 'no database'],
    ['/etc/systemd/system/multi-user.target.wants/x.service', 'no init system'],
    ['/etc/rc2.d/S01x', 'no init system'],
  ])('carries %s to a host, and not to a container (%s)', (path) => {
    const after = new Map([[path, seen()]])
    expect(findChanges(new Map(), after).carried).toEqual([path])
    expect(findChanges(new Map(), after, isLeftBehindByContainers).carried).toEqual([])
  })

  it.each(['/etc/ssl/certs/ca-certificates.crt', '/etc/alternatives/java', '/var/lib/app', '/etc/app.conf'])(
    'carries %s to a container',
    (path) => {
      const after = new Map([[path, seen()]])
      expect(findChanges(new Map(), after, isLeftBehindByContainers).carried).toEqual([path])
    },
  )

  it('carries alternatives and diversions, which scripts create in dpkg’s database', () => {
    const made = ['/var/lib/dpkg/alternatives/awk', '/var/lib/dpkg/diversions']
    expect(findChanges(new Map(), new Map(made.map((path) => [path, seen()]))).carried).toEqual(made)
  })
})

describe('judgeContent', () => {
  it('accepts content that names no architecture', () => {
    expect(judgeContent(Buffer.from('plain'), 'amd64', 'arm64')).toEqual({ kind: 'as-is' })
  })

  it('rewrites text with the builder’s library directory', () => {
    const verdict = judgeContent(Buffer.from('/usr/lib/x86_64-linux-gnu/a\n'), 'amd64', 'arm64')
    expect(verdict).toEqual({ kind: 'rewritten', content: Buffer.from('/usr/lib/aarch64-linux-gnu/a\n') })
  })

  it('refuses binary data with the builder’s library directory', () => {
    expect(judgeContent(Buffer.from('\0/usr/lib/x86_64-linux-gnu\0'), 'amd64', 'arm64')).toMatchObject({
      kind: 'refused',
    })
  })

  it('refuses a program on every builder', () => {
    const program = Buffer.from('\x7fELF rest')
    expect(judgeContent(program, 'amd64', 'arm64')).toMatchObject({ kind: 'refused' })
    expect(judgeContent(program, 'arm64', 'arm64')).toMatchObject({ kind: 'refused' })
  })

  it('rewrites text with the builder’s loader', () => {
    const verdict = judgeContent(Buffer.from('/lib64/ld-linux-x86-64.so.2\n'), 'amd64', 'arm64')
    expect(verdict).toEqual({ kind: 'rewritten', content: Buffer.from('/lib/ld-linux-aarch64.so.1\n') })
  })

  it('targetPath translates the library directory of the builder into that of the target', () => {
    expect(targetPath('/usr/lib/x86_64-linux-gnu/gio/modules/giomodule.cache', 'amd64', 'arm64')).toBe(
      '/usr/lib/aarch64-linux-gnu/gio/modules/giomodule.cache',
    )
  })
})
