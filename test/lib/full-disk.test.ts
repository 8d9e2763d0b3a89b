import { describe, expect, it } from 'vitest'
import { fullDiskLine, lackOf, spaceOf } from '../../lib/full-disk.ts'

describe('fullDiskLine', () => {
  it.each([
    ['cp', "cp: error writing '/out/slot.img': No space left on device"],
    ['dd', "dd: error writing 'image': No space left on device"],
    ['mkdir', "mkdir: cannot create directory 'x': No space left on device"],
    ['tar', './usr/bin/x: Cannot write: No space left on device'],
    ['tar, after a short write', 'tar: -: Wrote only 4096 of 10240 bytes'],
    ['gzip', 'gzip: stdout: No space left on device'],
    ['zstd', 'zstd: error 70 : Write error : cannot write block : No space left on device'],
    ['dpkg', ' failed to write (No space left on device)'],
    ['dpkg-deb', 'dpkg-deb (subprocess): cannot copy archive member: failed to write (No space left on device)'],
    ['apt', "E: You don't have enough free space in /var/cache/apt/archives/."],
    [
      'mkfs.erofs',
      '<E> erofs: erofs_io_pwrite() Line[84] Failed to write data into device: [Error 28] No space left on device',
    ],
    ['mkfs.ext4', 'mkfs.ext4: No space left on device while populating file system'],
    ['ld', '/usr/bin/ld: final link failed: No space left on device'],
    ['cc', 'fatal error: error writing to /tmp/ccx.s: No space left on device'],
    ['as', "Fatal error: can't close init.o: No space left on device"],
    ['sh', 'sh: 1: cannot create /out/x: No space left on device'],
    ['Node', "Error: ENOSPC: no space left on device, write '/out/x'"],
    ['Node with a quota', "Error: EDQUOT: disk quota exceeded, write '/out/x'"],
    ['a quota', 'cp: error writing x: Disk quota exceeded'],
    ['Python', 'OSError: [Errno 28] No space left on device'],
    ['Go', 'write /var/lib/x: no space left on device'],
    ['Rust', 'Error: No space left on device (os error 28)'],
    ['SQLite', 'Error: database or disk is full'],
  ])('recognises a full disk in the words of %s', (_, line) => {
    expect(fullDiskLine(`before\n${line}\nafter`)).toBe(line)
  })

  it('returns the last line that says so', () => {
    expect(fullDiskLine('a: No space left on device\nb: No space left on device\n')).toBe('b: No space left on device')
  })

  it.each([
    'exit status 28',
    'mtools: Disk full',
    'erofs: [Error 22] Invalid argument',
    'unpacking space-left (1.0) ...',
    'cc: error: 28 warnings',
    'I/O error 128',
  ])('takes %j for another failure', (line) => {
    expect(fullDiskLine(line)).toBeUndefined()
  })
})

describe('spaceOf', () => {
  it('names the mount point of a path, and what its file system still has', () => {
    expect(spaceOf('/proc/self/status')).toMatchObject({ mount: '/proc' })
    expect(spaceOf('/dev/null')?.mount).toBe('/dev')
    expect(spaceOf('/nowhere')).toBeUndefined()
  })
})

describe('lackOf', () => {
  const plenty = { mount: '/', freeBytes: 1e12, freeFiles: 1e6 }
  it.each([
    [plenty, undefined],
    [{ ...plenty, freeFiles: Number.POSITIVE_INFINITY }, undefined],
    [{ ...plenty, freeBytes: 0 }, 'space'],
    [{ ...plenty, freeFiles: 0 }, 'files'],
  ] as const)('of %j is %s', (space, lack) => {
    expect(lackOf(space)).toBe(lack)
  })
})
