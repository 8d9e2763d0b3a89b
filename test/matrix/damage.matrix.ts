import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyDisk } from '../../flash/vm/disk.ts'
import { adama } from '../../hosts/adama.ts'
import { planSelector } from '../../images/disk/selector.ts'
import { diskLayout, partition, SECTOR } from '../../images/layout.ts'
import { damage } from '../helpers/damage.ts'
import { fallsBack } from '../helpers/falls-back.ts'
import { agentStatus, committed, healthy, type Lab, makeLab, must, reboot } from '../helpers/lab.ts'
import type { TestVm } from '../helpers/vm.ts'

const SERVICE = 'overlays/services/mosquitto/service.ts'
const LAYOUT = diskLayout(adama.slotSize)
const AUTOBOOT = partition(LAYOUT, 'selector').offset + planSelector().sector * SECTOR

let lab: Lab
let vm: TestVm

beforeAll(async () => {
  lab = await makeLab('lean')
})

afterAll(async () => {
  await vm?.stop()
  lab?.remove()
})

async function bootAgain(options?: Parameters<Lab['boot']>[0]): Promise<void> {
  await vm?.stop()
  vm = await lab.boot(options)
}

describe('a host whose disk is damaged', () => {
  it('a damaged autoboot.txt boots slot a if a is committed, and the host repairs the file', async () => {
    damage(lab.disk, AUTOBOOT, SECTOR)
    await bootAgain()
    expect(vm.starts).toEqual([{ partition: 2, tryboot: false }])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', committed: 'a' })
  })

  it('a damaged autoboot.txt boots slot b after one more start if b is committed, before any service runs on a', async () => {
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 301')
    await healthy(vm)
    await must(lab.onHost(vm, 'flash'))
    await vm.stop()
    damage(lab.disk, AUTOBOOT, SECTOR)
    await bootAgain()
    expect(vm.starts).toEqual([
      { partition: 2, tryboot: false },
      { partition: 3, tryboot: false },
    ])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
    expect(vm.console.text).toContain('autoboot.txt is damaged: writing it again for slot b')
  })

  it('a host refuses to revert to a damaged slot', async () => {
    await vm.shell(
      'dd if=/dev/urandom of=/dev/disk/by-partlabel/slot-a bs=4096 seek=2000 count=1 conv=notrunc,fsync status=none',
    )
    const { code, stderr } = await lab.onHost(vm, 'revert')
    expect([code, stderr]).toEqual([1, expect.stringContaining('slot a holds no complete generation')])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
  })

  it('a host with the tryboot flag and a damaged inactive boot partition boots the committed slot, without a trial and with the current data', async () => {
    await vm.shell('echo today >/run/hangar/data/mosquitto/probe; sync')
    await vm.shell('dd if=/dev/zero of=/dev/disk/by-partlabel/boot-a bs=4096 count=1 conv=notrunc,fsync status=none')
    await vm.shell("sh -c '. /usr/lib/hangar/tryboot; tryboot_set 1'")
    await reboot(vm)
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: true })
    await healthy(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
  })

  it('the next update repairs a damaged inactive slot by sending the missing blocks', async () => {
    lab.restore()
    const said = await must(lab.onHost(vm, 'flash'))
    expect(said).toMatch(/slot a runs .*, healthy and committed/)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', root: lab.built() })
  })

  it('a damaged boot partition of the committed slot boots the other slot, with the current data', async () => {
    await vm.shell('echo today >/run/hangar/data/mosquitto/probe; sync')
    // The first sector and the file system stay intact, but the firmware finds no config.txt.
    const boot = '/run/boot-of-a'
    await vm.shell(`mkdir ${boot} && mount -t vfat /dev/disk/by-partlabel/boot-a ${boot}`)
    await vm.shell(`rm ${boot}/config.txt && umount ${boot}`)
    await vm.stop()
    await bootAgain()
    expect(vm.starts).toEqual([{ partition: 3, tryboot: false }])
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', state: 'committed', committed: 'b' },
      update: { kind: 'rescue', phase: 'committed' },
    })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
    await must(lab.onHost(vm, 'flash'))
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', root: lab.built() })
  })

  it('a host whose committed slot cannot start continues with the other slot', async () => {
    await vm.stop()
    damage(lab.disk, partition(LAYOUT, 'slot-a').offset, 4096)
    await bootAgain()
    expect(vm.starts).toEqual([
      { partition: 2, tryboot: false },
      { partition: 3, tryboot: true },
    ])
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', committed: 'b' },
      update: { kind: 'rescue', phase: 'committed' },
    })
  })

  it('a host with a damaged data partition boots without services, reports the damage, and commits no trial', async () => {
    await vm.stop()
    for (const at of [64 * 1024, 64 * 2 ** 20]) damage(lab.disk, partition(LAYOUT, 'data').offset + at, 4096)
    await bootAgain()
    const before = await agentStatus(vm)
    expect(before).toMatchObject({
      slot: 'b',
      state: 'committed',
      data: { state: 'failed' },
      health: { state: 'unhealthy' },
    })
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 305')
    await fallsBack(lab, vm, { reason: /data/, flags: ['--trial-seconds', '120'] })
  })
})

describe('a second disk with the same labels', () => {
  it('a second disk with the same labels stops the boot with a message, until the disk is removed', async () => {
    await vm.stop()
    const twin = `${lab.disk}.twin`
    await copyDisk(lab.disk, twin, adama.disk)
    vm = await lab.start({ secondDisk: twin })
    await vm.console.waitFor(/several disks have hangar's partitions: .*; remove all but one/, 300)
    await bootAgain()
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed' })
  })
})
