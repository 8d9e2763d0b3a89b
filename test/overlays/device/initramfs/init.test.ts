import { expect, it } from 'vitest'
import { describeOnShells } from '../../../helpers/fake-device.ts'
import { boot, HASH, type Machine, SHELLS } from '../../../helpers/fake-initramfs.ts'

describeOnShells(
  'the initramfs',
  (shell) => {
    it('opens the slot through dm-verity, stacks its layers and starts systemd', async () => {
      const { device, named, entered, code, calls } = await boot(shell)
      expect([code, entered]).toEqual([0, true])
      const [verity, ...linear] = named('dmsetup create')
      expect(verity).toBe(
        `dmsetup create --readonly hangar-slot --table 0 1240 verity 1 179:5 179:5 4096 4096 155 155 sha256 ${HASH} -`,
      )
      expect(linear.map((call) => call.replace(device.root, ''))).toEqual([
        'dmsetup create --readonly hangar-base --table 0 800 linear /dev/mapper/hangar-slot 8',
        'dmsetup create --readonly hangar-kernel --table 0 400 linear /dev/mapper/hangar-slot 808',
        'dmsetup create --readonly hangar-host --table 0 32 linear /dev/mapper/hangar-slot 1208',
      ])
      const stack = calls.find((call) => call.startsWith('mount -t overlay'))?.replaceAll(device.root, '')
      const layers = '/run/hangar/layers'
      expect(stack).toBe(`mount -t overlay -o ro,lowerdir=${layers}/host:${layers}/kernel:${layers}/base root /root`)
      expect(calls.at(-1)).toBe(`switch_root ${device.path('root')} /usr/lib/systemd/systemd`)
    })

    it('mounts everything of the disk read-only', async () => {
      const { named } = await boot(shell)
      const kinds = named('mount -t').filter((call) => / (erofs|overlay|ext4|btrfs|vfat) /.test(call))
      expect(kinds).toHaveLength(4)
      for (const call of kinds) expect(call).toMatch(/-o ro\b/)
    })

    it('records which slot and disk the host runs from', async () => {
      const { facts } = await boot(shell, { firmware: { partition: 3, tryboot: 1 }, good: ['b'] })
      expect(facts).toEqual({
        ...{ SLOT: 'b', DISK: '/dev/mmcblk0', PARTITION: '3', TRYBOOT: '1', ROOT_HASH: HASH },
        ...{
          SELECTOR: '/dev/mmcblk0p1',
          BOOT_A: '/dev/mmcblk0p2',
          BOOT_B: '/dev/mmcblk0p3',
          IDENTITY: '/dev/mmcblk0p4',
        },
        ...{ SLOT_A: '/dev/mmcblk0p5', SLOT_B: '/dev/mmcblk0p6', DATA: '/dev/mmcblk0p7' },
      })
    })

    it('starts the watchdog first, and leaves it running', async () => {
      const { calls } = await boot(shell)
      const place = (start: string) => calls.findIndex((call) => call.startsWith(start))
      expect(place('watchdog -F -T 15')).toBeGreaterThan(-1)
      expect(place('watchdog')).toBeLessThan(place('dmsetup'))
      expect(place('kill -9')).toBe(calls.length - 2)
    })

    it.each<[string, Machine, string]>([
      ['the slot with the root hash', { good: ['b'], firmware: { partition: 2 } }, 'b'],
      [
        'the slot of the boot partition if both have the root hash',
        { good: ['a', 'b'], firmware: { partition: 3 } },
        'b',
      ],
      ['slot a if both have the root hash and it was booted', { good: ['a', 'b'], firmware: { partition: 2 } }, 'a'],
      [
        'slot a if both have the root hash and the firmware names no partition',
        { good: ['a', 'b'], firmware: {} },
        'a',
      ],
    ])('the initramfs boots from %s', async (_which, machine, slot) => {
      expect((await boot(shell, machine)).facts.SLOT).toBe(slot)
    })

    it('uses only a disk of the kind that the firmware booted from', async () => {
      const disks = ['mmcblk0', 'nvme0n1']
      const { facts, named } = await boot(shell, { disks, firmware: { partition: 2, 'boot-mode': 1 } })
      expect(facts.DISK).toBe('/dev/mmcblk0')
      expect(named('dmsetup create').filter((call) => call.includes('259:'))).toEqual([])
    })

    it('reboots before switch_root if the agent requests a reboot', async () => {
      const chroot = 'case "$*" in *"agent boot") : >"$FAKE_ROOT/run/hangar/restart" ;; esac'
      const { code, entered, calls } = await boot(shell, { faked: { chroot } })
      expect([code, entered, calls.at(-1)]).toEqual([99, false, 'reboot -f'])
    })

    it('continues without an identity, so that the host can report the problem', async () => {
      const { entered, said } = await boot(shell, { faked: { chroot: 'exit 1' } })
      expect(entered).toBe(true)
      expect(said).toContain("cannot load the host's identity")
    })
  },
  SHELLS,
)

describeOnShells(
  'the initramfs logs the reason and reboots, without a shell, if',
  (shell) => {
    it.each<[string, Machine, string]>([
      ['neither slot has the root hash', { good: [] }, 'neither slot of mmcblk0 verifies against the root hash abab'],
      ['two disks have the labels', { disks: ['mmcblk0', 'nvme0n1'] }, "several disks have hangar's partitions"],
      ['no disk has the labels', { disks: [] }, "no disk with hangar's partitions appeared"],
      ['the disk is of another kind', { disks: ['nvme0n1'], firmware: { 'boot-mode': 1 } }, 'no disk with'],
      ['the command line lacks the root hash', { commandLine: 'console=tty1\n' }, 'lacks hangar.root or hangar.blocks'],
      ['the slot has another format', { index: 'hangar-slot 2\nend 1 0\n' }, "has the format 'hangar-slot 2', wanted"],
      ['the slot has no index', { index: '' }, "has the format '', wanted 'hangar-slot 1'"],
      [
        'a layer cannot be mounted',
        { faked: { mount: 'case "$*" in *erofs*kernel*) exit 32 ;; esac' } },
        'cannot mount the layers of slot a',
      ],
      [
        'the layers cannot be stacked',
        { faked: { mount: 'case "$*" in *overlay*) exit 32 ;; esac' } },
        'cannot mount the root from the layers of slot a',
      ],
    ])('reboots when %s', async (_what, machine, reason) => {
      const { code, entered, said, calls, facts } = await boot(shell, machine)
      expect(said).toContain(reason)
      // The watchdog runs in parallel, and its calls may come later.
      const last = calls.filter((call) => !call.startsWith('watchdog')).at(-1)
      expect([code, entered, last]).toEqual([99, false, 'reboot -f'])
      expect(facts).toEqual({})
    })

    it('uses neither of two disks with the same labels', async () => {
      const { named } = await boot(shell, { disks: ['mmcblk0', 'nvme0n1'] })
      expect(named('dmsetup')).toEqual([])
    })
  },
  SHELLS,
)
