import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type FlashDiskOptions, flashDisk } from '../../../cli/commands/flash.ts'
import { withDisk } from '../../../flash/vm/disk.ts'
import { readGpt } from '../../../images/disk/gpt-read.ts'
import { readIdentity } from '../../../images/identity/partition.ts'
import { layoutOnDisk, type PartitionName, partition } from '../../../images/layout.ts'
import { listProgress } from '../../helpers/progress-list.ts'
import { firmwareOn, type SmallDisk, smallDisk } from '../../helpers/small-disk.ts'

const TAR = Buffer.from('the tar of an identity')

async function bench() {
  const small = await smallDisk()
  const disk = join(small.directory, 'disk.img')
  const [input, output] = [Object.assign(new PassThrough(), { isTTY: true }), new PassThrough()]
  const progress = listProgress()
  const trusted: string[][] = []
  const identity = async ({ signing }: { readonly signing: readonly string[] }) => {
    trusted.push([...signing])
    return TAR
  }
  const flash = (given: Partial<FlashDiskOptions> = {}) =>
    flashDisk({
      ...{ host: small.host, output: small.output, disk, identity, data: 'format', confirmation: 'skip', progress },
      terminal: { input, output },
      ...given,
    })
  const shown = () => String(output.read() ?? '')
  return { small, disk, flash, input, shown, progress, trusted }
}

function at({ host }: SmallDisk, name: PartitionName) {
  return partition(layoutOnDisk(host.slotSize, host.disk), name)
}

function put(path: string, offset: number, text: string): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from(text), 0, text.length, offset)
  closeSync(file)
}

function identityOn(disk: string, small: SmallDisk) {
  const { offset, size } = at(small, 'identity')
  return withDisk(disk, ({ read }) => readIdentity({ size, read: (from, length) => read(offset + from, length) }))
}

describe('flash --disk', () => {
  it('writes a bootable disk with the identity and the trusted keys of the image', async () => {
    const { small, disk, flash, trusted, progress } = await bench()
    const text = await flash()
    expect(text).toMatch(
      /^tiny: wrote \d+ MB to .*disk\.img and read it back in [\d.]+ s\nnext: put the disk into tiny, /,
    )
    expect(statSync(disk).size).toBe(small.host.disk)
    withDisk(disk, (source) => {
      expect(firmwareOn(source)).toMatchObject({ outcome: 'start', partition: 2 })
      expect(readGpt(source).at(-1)).toMatchObject({ name: 'data', size: at(small, 'data').size })
    })
    expect(identityOn(disk, small)).toEqual({ sequence: 1, tar: Uint8Array.from(TAR) })
    const { keys } = JSON.parse(readFileSync(join(small.output, 'manifest.json'), 'utf8'))
    expect(trusted).toEqual([keys.signing])
    expect(progress.ended).toEqual(['write', 'read back', 'make bootable'])
  })

  it('writes the same bytes when the command is repeated', async () => {
    const { small, disk, flash } = await bench()
    await flash()
    const { offset, size } = at(small, 'boot-a')
    const boot = () => withDisk(disk, ({ read }) => Buffer.from(read(offset, size / 16)))
    const before = boot()
    await flash()
    expect(boot().equals(before)).toBe(true)
  })

  it('refuses a host without an identity, names the command that makes one, and writes nothing', async () => {
    const { disk, flash } = await bench()
    await expect(flash({ identity: async () => undefined })).rejects.toMatchObject({
      code: 'key',
      message: 'cannot write the disk of tiny: the host has no identity',
      hint: expect.stringContaining('npm run init tiny'),
    })
    expect(existsSync(disk)).toBe(false)
  })

  it('writes no identity with --without-identity, and prints how to adopt the identity of the host', async () => {
    const { small, disk, flash } = await bench()
    expect(await flash({ identity: 'without' })).toContain('npm run init tiny -- --adopt SHA256:…')
    expect(identityOn(disk, small)).toBeUndefined()
  })

  it('keeps the data volume, and refuses to keep a missing data volume', async () => {
    const { small, disk, flash } = await bench()
    await flash()
    await expect(flash({ data: 'keep' })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('cannot keep'),
    })
    const { offset } = at(small, 'data')
    put(disk, offset + 65536 + 64, '_BHRfS_M')
    await flash({ data: 'keep' })
    const magic = () => withDisk(disk, ({ read }) => Buffer.from(read(offset + 65536 + 64, 8)).toString())
    expect(magic()).toBe('_BHRfS_M')
    await flash()
    expect(magic()).not.toBe('_BHRfS_M')
  })
})

describe('the confirmation of flash --disk', () => {
  it('describes the disk and the new content, and asks for the name of the host', async () => {
    const { disk, flash, input, shown } = await bench()
    input.write('tiny\n')
    await flash({ confirmation: 'ask' })
    const text = shown()
    expect(text).toContain(
      `${disk}: a file of 2.4 GB, which does not exist yet\ntiny will replace everything on this disk\n`,
    )
    expect(text).toContain("type 'tiny' to continue: ")
  })

  it('writes nothing to the disk after a wrong answer', async () => {
    const { disk, flash, input } = await bench()
    input.write('yes\n')
    await expect(flash({ confirmation: 'ask' })).rejects.toMatchObject({
      code: 'usage',
      message: "nothing was written: you typed 'yes', wanted 'tiny'",
    })
    expect(existsSync(disk)).toBe(false)
  })

  it('writes nothing to the disk when the input ends without an answer', async () => {
    const { disk, flash, input } = await bench()
    input.end()
    await expect(flash({ confirmation: 'ask' })).rejects.toMatchObject({ code: 'usage' })
    expect(existsSync(disk)).toBe(false)
  })

  it('writes nothing to the disk after Ctrl-C', async () => {
    const { disk, flash } = await bench()
    const signal = AbortSignal.timeout(100)
    await expect(flash({ confirmation: 'ask', signal })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(existsSync(disk)).toBe(false)
  })

  it('refuses to ask for confirmation when standard input is not a terminal', async () => {
    const { disk, flash } = await bench()
    const terminal = { input: new PassThrough(), output: new PassThrough() }
    await expect(flash({ confirmation: 'ask', terminal })).rejects.toMatchObject({
      hint: 'to write without a question: --yes',
    })
    expect(existsSync(disk)).toBe(false)
  })

  it('warns about a data volume that will be erased', async () => {
    const { small, disk, flash, input, shown } = await bench()
    await flash()
    put(disk, at(small, 'data').offset + 65536 + 64, '_BHRfS_M')
    input.write('tiny\n')
    await flash({ confirmation: 'ask' })
    expect(shown()).toContain("the disk has a data volume, which will be erased; to keep it: '--keep-data'\n")
  })
})

const LOOP = loopDevice()
if (typeof LOOP === 'string') {
  console.warn(`skipped: flash --disk of a block device: ${LOOP}`)
  it.skip(`flash --disk of a block device: ${LOOP}`, () => undefined)
}

describe.skipIf(typeof LOOP === 'string')('flash --disk of a block device', () => {
  async function device() {
    const all = await bench()
    const file = join(all.small.directory, 'card.img')
    closeSync(openSync(file, 'w'))
    truncateSync(file, all.small.host.disk)
    const path = losetup('--show', '-f', file).trim()
    onTestFinished(() => void losetup('-d', path))
    return { ...all, path, file }
  }

  it('writes the block device, and reads it back past the page cache', async () => {
    const { flash, path, small } = await device()
    expect(await flash({ disk: path })).toContain(` to ${path} and read it back`)
    const text = await flash({ disk: path })
    expect(text).toContain('read it back')
    const size = small.host.disk
    withDisk(path, ({ read }) => {
      expect(firmwareOn({ size, read })).toMatchObject({ outcome: 'start', partition: 2 })
    })
  })

  it('refuses a block device that is in use, and writes nothing', async () => {
    const { flash, path } = await device()
    const holder = openSync(path, constants.O_RDWR | constants.O_EXCL)
    onTestFinished(() => closeSync(holder))
    await expect(flash({ disk: path })).rejects.toMatchObject({ code: 'busy', hint: expect.stringContaining('lsblk') })
    expect(withDisk(path, ({ read }) => read(0, 4096).every((byte) => byte === 0))).toBe(true)
  })
})

/** Why no loop device can be used; undefined if one can. */
function loopDevice(): string | undefined {
  if (process.getuid?.() !== 0) return 'loop devices need root'
  const { error, status, stderr } = spawnSync('losetup', ['-f'], { encoding: 'utf8' })
  if (error !== undefined) return 'losetup is not installed'
  const free = status === 0 ? undefined : stderr.trim() || 'losetup finds no free device'
  return free ?? tryLoop()
}

function tryLoop(): string | undefined {
  const { status, stdout, stderr } = spawnSync('losetup', ['--show', '-r', '-f', new URL(import.meta.url).pathname], {
    encoding: 'utf8',
  })
  if (status !== 0) return stderr.trim() || 'losetup cannot set up a device'
  losetup('-d', stdout.trim())
  return undefined
}

function losetup(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('losetup', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`losetup ${args.join(' ')}: ${stderr}`)
  return stdout
}
