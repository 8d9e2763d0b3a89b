import { describe, expect, it } from 'vitest'
import { directoryOf, writtenDirectories } from '../../cli/directories.ts'
import { describeFailure } from '../../cli/failure.ts'

const ENV = { HOME: '/home/me', HANGAR_STORE: '/srv/store' }
const ALL = writtenDirectories(ENV, '/home/me/hangar')

describe('directoryOf', () => {
  it.each([
    ['/srv/store/objects/ab', 'the store'],
    ['/srv/store', 'the store'],
    ['/srv', 'the store'],
    ['/home/me/.config', "the directory of the owner's keys"],
    ['/home/me/.config/hangar/ssh_key', "the directory of the owner's keys"],
    ['/home/me/hangar', 'the project'],
    ['/home/me/hangar/package.json', 'the project'],
    ['/home/me/hangar/out/adama/boot.img', 'the directory for built images'],
    ['/home/me/hangar/hosts/adama.ts', 'the directory of host files'],
    ['/home/me/hangar/dist/hosts/adama.json', 'the directory for compiled files'],
    ['/home/me/hangar/images/debian.lock.json', 'the directory of lock files'],
  ])('finds the role of %s: %s', (path, role) => {
    expect(directoryOf(path, ALL)?.role).toBe(role)
  })

  it('finds no role for a path that the command line names', () => {
    expect(directoryOf('/mnt/usb/release', ALL)).toBeUndefined()
  })

  it('lists the other directories when the environment names no home', () => {
    const roles = writtenDirectories({ HOME: 'relative' }, '/p').map(({ role }) => role)
    expect(roles).not.toContain('the store')
    expect(roles).toContain('the project')
  })
})

describe('the failure of a directory', () => {
  it('has the path, the action, the reason and the hint, and no stack', () => {
    const error = Object.assign(new Error('EROFS: from the system'), {
      ...{ code: 'EROFS', syscall: 'mkdir', path: '/srv/store/objects/ab' },
    })
    const { text, exitCode } = describeFailure(error, ALL)
    expect(text.split('\n')).toEqual([
      "error: cannot use '/srv/store' as the store: cannot create the directory '/srv/store/objects/ab': the file system is read-only",
      expect.stringMatching(
        /^hint: mount the file system writable: findmnt --target '\/.*'; or set HANGAR_STORE to a directory that you can write to$/,
      ),
    ])
    expect(exitCode).toBe(1)
  })

  it('has the path alone when the command line names it', () => {
    const error = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path: '/mnt/usb/release' })
    expect(describeFailure(error, ALL).text).toMatch(
      /^error: cannot open '\/mnt\/usb\/release': permission denied\nhint: /,
    )
  })
})
