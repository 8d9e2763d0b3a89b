import { describe, expect } from 'vitest'
import { copyDisk } from '../../flash/vm/disk.ts'
import { planSelector } from '../../images/disk/selector.ts'
import { diskLayout, partition, SECTOR } from '../../images/layout.ts'
import { adama } from '../helpers/adama.ts'
import { damage } from '../helpers/damage.ts'
import { fallsBack } from '../helpers/falls-back.ts'
import { agentStatus, committed, healthy, type Lab, makeLab, must, reboot, trialSeconds } from '../helpers/lab.ts'
import { patience } from '../helpers/machine-speed.ts'
import { scenarios } from '../helpers/scenarios.ts'
import type { TestVm } from '../helpers/vm.ts'

const SERVICE = 'overlays/services/mosquitto/service.ts'
const LAYOUT = diskLayout(adama.slotSize)
const AUTOBOOT = partition(LAYOUT, 'selector').offset + planSelector().sector * SECTOR

let lab: Lab
/** The running machine; undefined if no scenario has booted the disk yet. */
let machine: TestVm | undefined

/** A restore flashes a new disk and boots nothing, because a scenario may damage the disk before it boots. */
const scenario = scenarios({
  start: async () => {
    lab = await makeLab('lean')
  },
  end: async () => {
    await machine?.stop()
    machine = undefined
    lab?.remove()
  },
})

async function running(): Promise<TestVm> {
  machine ??= await lab.boot()
  return machine
}

/** Ends the machine, changes its disk, and boots it. */
async function bootAgain(change: () => void = () => undefined): Promise<TestVm> {
  await machine?.stop()
  change()
  machine = await lab.boot()
  return machine
}

const BOOTS_B =
  'a damaged autoboot.txt boots slot b after one more start if b is committed, before any service runs on a'
const REFUSES = 'a host refuses to revert to a damaged slot'
const KEEPS_DATA =
  'a host with the tryboot flag and a damaged inactive boot partition boots the committed slot, without a trial and with the current data'
const REPAIRS = 'the next update repairs a damaged inactive slot by sending the missing blocks'
const OTHER_BOOT = 'a damaged boot partition of the committed slot boots the other slot, with the current data'

describe('a host whose disk is damaged', () => {
  scenario('a damaged autoboot.txt boots slot a if a is committed, and the host repairs the file', async () => {
    const vm = await bootAgain(() => damage(lab.disk, AUTOBOOT, SECTOR))
    expect(vm.starts).toEqual([{ partition: 2, tryboot: false }])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', committed: 'a' })
  })

  scenario(BOOTS_B, async () => {
    lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 301')
    await healthy(await running())
    await must(lab.onHost(await running(), 'flash'))
    const vm = await bootAgain(() => damage(lab.disk, AUTOBOOT, SECTOR))
    expect(vm.starts).toEqual([
      { partition: 2, tryboot: false },
      { partition: 3, tryboot: false },
    ])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
    expect(vm.console.text).toContain('autoboot.txt is damaged: writing it again for slot b')
  })

  const refuses = async () => {
    const vm = await running()
    await vm.shell(
      'dd if=/dev/urandom of=/dev/disk/by-partlabel/slot-a bs=4096 seek=2000 count=1 conv=notrunc,fsync status=none',
    )
    const { code, stderr } = await lab.onHost(vm, 'revert')
    expect([code, stderr]).toEqual([1, expect.stringContaining('slot a holds no complete generation')])
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
  }
  scenario(REFUSES, refuses, { after: [BOOTS_B] })

  const keepsData = async () => {
    const vm = await running()
    await vm.shell('echo today >/run/hangar/data/mosquitto/probe; sync')
    await vm.shell('dd if=/dev/zero of=/dev/disk/by-partlabel/boot-a bs=4096 count=1 conv=notrunc,fsync status=none')
    await vm.shell("sh -c '. /usr/lib/hangar/tryboot; tryboot_set 1'")
    await reboot(vm)
    expect(vm.starts.at(-1)).toEqual({ partition: 3, tryboot: true })
    await healthy(vm)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'b', state: 'committed', committed: 'b' })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
  }
  scenario(KEEPS_DATA, keepsData, { after: [BOOTS_B] })

  const repairs = async () => {
    const vm = await running()
    lab.restore()
    const said = await must(lab.onHost(vm, 'flash'))
    expect(said).toMatch(/slot a runs .*, healthy and committed/)
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', root: lab.built() })
  }
  scenario(REPAIRS, repairs, { after: [REFUSES, KEEPS_DATA] })

  const bootsOther = async () => {
    await (await running()).shell('echo today >/run/hangar/data/mosquitto/probe; sync')
    // The first sector and the file system stay intact, but the firmware finds no config.txt.
    const boot = '/run/boot-of-a'
    await (await running()).shell(`mkdir ${boot} && mount -t vfat /dev/disk/by-partlabel/boot-a ${boot}`)
    await (await running()).shell(`rm ${boot}/config.txt && umount ${boot}`)
    const vm = await bootAgain()
    expect(vm.starts).toEqual([{ partition: 3, tryboot: false }])
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', state: 'committed', committed: 'b' },
      update: { kind: 'rescue', phase: 'committed' },
    })
    expect(await vm.shell('cat /run/hangar/data/mosquitto/probe')).toBe('today')
    await must(lab.onHost(vm, 'flash'))
    expect(await agentStatus(vm)).toMatchObject({ slot: 'a', state: 'committed', root: lab.built() })
  }
  scenario(OTHER_BOOT, bootsOther, { after: [REPAIRS] })

  const continues = async () => {
    const vm = await bootAgain(() => damage(lab.disk, partition(LAYOUT, 'slot-a').offset, 4096))
    expect(vm.starts).toEqual([
      { partition: 2, tryboot: false },
      { partition: 3, tryboot: true },
    ])
    await committed(vm)
    expect(await agentStatus(vm)).toMatchObject({
      ...{ slot: 'b', committed: 'b' },
      update: { kind: 'rescue', phase: 'committed' },
    })
  }
  scenario('a host whose committed slot cannot start continues with the other slot', continues, { after: [OTHER_BOOT] })

  scenario(
    'a host with a damaged data partition boots without services, reports the damage, and commits no trial',
    async () => {
      const { slot } = await agentStatus(await running())
      const vm = await bootAgain(() => {
        for (const at of [64 * 1024, 64 * 2 ** 20]) damage(lab.disk, partition(LAYOUT, 'data').offset + at, 4096)
      })
      expect(await agentStatus(vm)).toMatchObject({
        slot,
        state: 'committed',
        data: { state: 'failed' },
        health: { state: 'unhealthy' },
      })
      lab.edit(SERVICE, 'autosave_interval 300', 'autosave_interval 305')
      await fallsBack(lab, vm, { reason: /data/, flags: ['--trial-seconds', `${await trialSeconds(120)}`] })
    },
  )
})

describe('a second disk with the same labels', () => {
  scenario('a second disk with the same labels stops the boot with a message, until the disk is removed', async () => {
    const vm = await running()
    const { slot } = await agentStatus(vm)
    await vm.stop()
    const twin = `${lab.disk}.twin`
    await copyDisk(lab.disk, twin, adama.disk)
    machine = await lab.start({ secondDisk: twin })
    const message = /several disks have hangar's partitions: .*; remove all but one/
    await machine.console.waitFor(message, await patience(300))
    expect(await agentStatus(await bootAgain())).toMatchObject({ slot, state: 'committed' })
  })
})
