import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskLines } from '../../../cli/text/disk.ts'
import { readBlockDevice } from '../../../flash/disk/block-device.ts'
import { deviceTarget, findTarget } from '../../../flash/disk/target.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const HOST = { name: 'tiny', disk: 32e9, slotSize: 8 * 2 ** 20 }
const SIZE = 31_914_983_424

interface Kernel {
  readonly disk?: Readonly<Record<string, string>>
  readonly mountinfo?: string
  readonly swaps?: string
  /** Additional paths below the disk's directory in sysfs. */
  readonly more?: readonly string[]
}

/** The sysfs files of an SD card in a reader, with two partitions, and of the machine's internal disk. */
async function kernel({ disk = {}, mountinfo = '', swaps = '', more = [] }: Kernel = {}) {
  const root = await tempDirectory()
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const card: Record<string, string> = {
    size: `${SIZE / 512}\n`,
    dev: '8:16\n',
    ro: '0\n',
    'queue/logical_block_size': '512\n',
    'device/vendor': 'Generic \n',
    'device/model': 'SD/MMC\n',
    'sdb1/partition': '1\n',
    'sdb1/dev': '8:17\n',
    'sdb1/size': '1048576\n',
    'sdb1/uevent': 'DEVNAME=sdb1\nPARTNAME=boot-a\n',
    'sdb2/partition': '2\n',
    'sdb2/dev': '8:18\n',
    'sdb2/size': '2097152\n',
    ...disk,
  }
  for (const [path, text] of Object.entries(card)) put(`sys/devices/sdb/${path}`, text)
  for (const path of more) mkdirSync(join(root, 'sys/devices/sdb', path), { recursive: true })
  put('proc/self/mountinfo', `22 1 8:2 / / rw - ext4 /dev/sda2 rw\n${mountinfo}`)
  put('proc/swaps', `Filename\tType\n${swaps}`)
  mkdirSync(join(root, 'sys/dev/block'), { recursive: true })
  symlinkSync('../../devices/sdb', join(root, 'sys/dev/block/8:16'))
  symlinkSync('../../devices/sdb/sdb1', join(root, 'sys/dev/block/8:17'))
  const files = { sys: join(root, 'sys'), proc: join(root, 'proc') }
  return (number = '8:16', path = '/dev/sdb') => deviceTarget(path, readBlockDevice(number, files), HOST)
}

describe('a disk', () => {
  it('accepts an unused disk, and describes it by model, size and partitions', async () => {
    const target = (await kernel())()
    expect(target).toMatchObject({ kind: 'device', size: SIZE })
    expect(diskLines(target)).toEqual(['/dev/sdb: Generic SD/MMC, 32 GB', '  sdb1  537 MB  boot-a', '  sdb2  1.1 GB'])
  })

  it('removes control characters from the description of a disk', async () => {
    const target = (await kernel({ disk: { 'device/model': 'evil\x1b[2J\n' } }))()
    expect(diskLines(target).join('')).not.toContain('\x1b')
  })

  it.each<[string, Kernel, string]>([
    [
      'mounted',
      { mountinfo: '30 22 8:17 / /media/a\\040card rw - vfat /dev/sdb1 rw\n' },
      "sdb1 is mounted at '/media/a card'",
    ],
    ['mounted as a whole', { mountinfo: '30 22 8:16 / /mnt rw - ext4 /dev/sdb rw\n' }, "sdb is mounted at '/mnt'"],
    [
      'mounted as btrfs',
      { mountinfo: '30 22 0:44 /x /data rw shared:1 - btrfs /dev/sdb2 rw\n' },
      "sdb2 is mounted at '/data'",
    ],
    [
      'the disk of the running system',
      { mountinfo: '30 22 8:18 / / rw - ext4 /dev/root rw\n' },
      'sdb2 holds the running system',
    ],
    ['swap space', { swaps: '/dev/sdb2\tpartition\t1\n' }, 'sdb2 is swap space'],
    ['part of a volume group', { more: ['sdb2/holders/dm-0'] }, 'sdb2 is part of dm-0 (LVM, encryption or RAID)'],
    ['part of a RAID as a whole', { more: ['holders/md0'] }, 'sdb is part of md0 (LVM, encryption or RAID)'],
  ])('refuses a disk in use: %s', async (_use, given, said) => {
    const target = await kernel(given)
    expect(() => target()).toThrow(
      expect.objectContaining({ code: 'busy', message: `cannot flash '/dev/sdb', which is in use: ${said}` }),
    )
  })

  it.each<[string, Kernel, string, string]>([
    ['read-only', { disk: { ro: '1\n' } }, 'usage', 'it is read-only'],
    ['without a card', { disk: { size: '0\n' } }, 'usage', 'the reader is empty'],
    [
      'of large sectors',
      { disk: { 'queue/logical_block_size': '4096\n' } },
      'usage',
      'its sectors have 4096 bytes, wanted 512',
    ],
    ['too large', { disk: { size: '3907029168\n' } }, 'size', 'it has 2.0 TB, the disk of tiny has 32 GB'],
    [
      'too small',
      { disk: { size: '4000000\n' } },
      'size',
      'the disk is too small: it has 2.0 GB, the layout needs 2.2 GB',
    ],
  ])('refuses a disk with a fault: %s', async (_fault, given, code, said) => {
    const target = await kernel(given)
    expect(() => target()).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(said), hint: expect.any(String) }),
    )
  })

  it('names the disk in the hint if the path is one of its partitions', async () => {
    const target = await kernel()
    expect(() => target('8:17', '/dev/sdb1')).toThrow(
      expect.objectContaining({
        message: "cannot flash '/dev/sdb1': it is a partition of sdb, wanted a whole disk",
        hint: 'to write that disk: --disk /dev/sdb',
      }),
    )
  })
})

describe('a path', () => {
  it('creates a file of the size of the disk if the path does not exist', async () => {
    const path = join(await tempDirectory(), 'new.img')
    expect(findTarget(path, HOST)).toEqual({ kind: 'file', path, size: 32e9, state: 'missing' })
    expect(diskLines(findTarget(path, HOST))).toEqual([`${path}: a file of 32 GB, which does not exist yet`])
  })

  it('treats an existing file as a disk of its size', async () => {
    const path = join(await tempDirectory(), 'old.img')
    writeFileSync(path, '')
    truncateSync(path, 3e9)
    expect(findTarget(path, HOST)).toEqual({ kind: 'file', path, size: 3e9, state: 'existing' })
    truncateSync(path, 1e9)
    expect(() => findTarget(path, HOST)).toThrow(expect.objectContaining({ code: 'size' }))
  })

  it.skipIf(process.getuid?.() !== 0)('reports a path without permission for this user as a user error', async () => {
    const closed = join(await tempDirectory(), 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const find = () => findTarget(join(closed, 'disk.img'), HOST)
    expect(find).not.toThrow()
    process.seteuid?.(65534)
    try {
      expect(find).toThrow(
        expect.objectContaining({ code: 'usage', hint: expect.stringContaining('run the same command as root') }),
      )
    } finally {
      process.seteuid?.(0)
    }
  })

  it('never creates a file below /dev', () => {
    expect(() => findTarget('/dev/sdzz', HOST)).toThrow(
      expect.objectContaining({ code: 'usage', message: "cannot flash '/dev/sdzz': no such disk" }),
    )
    expect(() => findTarget('/tmp/../dev/sdzz', HOST)).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  it.each([
    ['/dev/null', 'it is a character device, wanted a disk or a file'],
    ['/tmp', 'it is a directory, wanted a disk or a file'],
    ['/not/there/at/all', "'/not/there/at' is not a directory"],
  ])("refuses the path '%s'", (path, said) => {
    expect(() => findTarget(path, HOST)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(said) }),
    )
  })
})
