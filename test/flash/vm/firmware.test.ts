import { describe, expect, it } from 'vitest'
import { decideBoot, type FirmwareDecision } from '../../../flash/vm/firmware.ts'
import {
  CURRENT_EEPROM,
  type FirmwareSettings,
  type FirmwareState,
  POWER_ON,
} from '../../../flash/vm/firmware-state.ts'
import { blockSourceOf } from '../../../images/disk/block-source.ts'
import { bootDisk, type Files } from '../../helpers/boot-disk.ts'

const AUTOBOOT = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n'
const SWAPPED = '[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n'
const ARMED: FirmwareState = { tryboot: 'armed', partition: undefined, bootCount: 5 }
const WITHOUT_WALK: Partial<FirmwareSettings> = { partitionWalk: 'off' }

function slotFiles(slot: string, more: Files = {}): Files {
  return {
    'config.txt': '[all]\narm_64bit=1\nkernel=kernel_2712.img\ninitramfs initramfs.img followkernel\n',
    'cmdline.txt': `console=ttyAMA0 hangar.root=${slot}\n`,
    'kernel_2712.img': `kernel of ${slot}`,
    'initramfs.img': `initramfs of ${slot}`,
    'bcm2712-rpi-5-b.dtb': 'C1',
    'bcm2712d0-rpi-5-b.dtb': 'D0',
    ...more,
  }
}

function without(files: Files, ...names: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))
}

interface Situation {
  readonly selector?: Files
  readonly a?: Files | undefined
  readonly b?: Files | undefined
  readonly state?: FirmwareState
  readonly settings?: Partial<FirmwareSettings>
}

function boot(situation: Situation = {}): FirmwareDecision {
  const { selector = { 'autoboot.txt': AUTOBOOT }, state = POWER_ON, settings = {} } = situation
  const a = 'a' in situation ? situation.a : slotFiles('a')
  const b = 'b' in situation ? situation.b : slotFiles('b')
  const bytes = bootDisk([
    { label: 'selector', files: selector },
    { label: 'boot-a', files: a },
    { label: 'boot-b', files: b },
    { label: 'slot-a', files: undefined },
  ])
  return decideBoot(blockSourceOf(bytes), state, { ...CURRENT_EEPROM, ...settings })
}

/** The partition and whether the boot is a trial, or the reason why nothing starts. */
function summary(decision: FirmwareDecision): string {
  if (decision.outcome === 'stuck') return `stuck: ${decision.reason}`
  return `${decision.partition}${decision.tryboot ? ' trial' : ''}`
}

function started(decision: FirmwareDecision) {
  if (decision.outcome === 'stuck') throw new Error(decision.reason)
  return decision
}

describe('the committed boot', () => {
  it('the firmware starts the partition that autoboot.txt names', () => {
    expect(summary(boot())).toBe('2')
    expect(summary(boot({ selector: { 'autoboot.txt': SWAPPED } }))).toBe('3')
  })

  it('the firmware loads kernel, initramfs and command line of that partition', () => {
    const { kernel, initramfs, commandLine } = started(boot())
    expect(Buffer.from(kernel.bytes).toString()).toBe('kernel of a')
    expect(Buffer.from(initramfs?.bytes ?? []).toString()).toBe('initramfs of a')
    expect(commandLine).toBe('console=ttyAMA0 hangar.root=a')
  })

  it('the firmware reads a file of many clusters', () => {
    const large = Buffer.alloc(300_000, 'hangar')
    expect(Buffer.compare(started(boot({ a: slotFiles('a', { 'kernel_2712.img': large }) })).kernel.bytes, large)).toBe(
      0,
    )
  })

  it('the reset register overrides autoboot.txt', () => {
    expect(summary(boot({ state: { ...POWER_ON, partition: 3 } }))).toBe('3')
  })

  it('the firmware explains its choice in the trace', () => {
    expect(boot().trace.join('\n')).toContain('select: register 0, autoboot.txt 2, result 2')
  })
})

describe('a trial', () => {
  it('a trial starts the partition of the [tryboot] section', () => {
    expect(summary(boot({ state: ARMED }))).toBe('3 trial')
    expect(summary(boot({ state: ARMED, selector: { 'autoboot.txt': SWAPPED } }))).toBe('2 trial')
  })

  it('the firmware runs a trial only once', () => {
    const { next } = boot({ state: ARMED })
    expect(next).toEqual({ ...POWER_ON, bootCount: 6 })
    expect(summary(boot({ state: next }))).toBe('2')
  })

  it('the firmware clears the trial flag even if nothing starts', () => {
    const decision = boot({ state: ARMED, b: undefined, settings: WITHOUT_WALK })
    expect(summary(decision)).toBe('stuck: partition 3 cannot boot')
    expect(decision.next).toEqual({ ...POWER_ON, bootCount: 6 })
  })

  it('the firmware counts every start since the power came on in 8 bits, also a start that boots nothing', () => {
    const counts = [POWER_ON, { ...POWER_ON, bootCount: 255 }].map((state) => boot({ state }).next.bootCount)
    expect([...counts, boot({ a: undefined, b: undefined }).next.bootCount]).toEqual([1, 0, 1])
  })

  it('a trial needs tryboot.txt if autoboot.txt does not set tryboot_a_b=1', () => {
    const selector = { 'autoboot.txt': AUTOBOOT.replace('tryboot_a_b=1\n', '') }
    expect(summary(boot({ state: ARMED, selector }))).toBe('stuck: partition 3 has no tryboot.txt')
    const b = slotFiles('b', { 'tryboot.txt': 'cmdline=trial.txt\n', 'trial.txt': 'from tryboot.txt' })
    expect(started(boot({ state: ARMED, selector, b })).commandLine).toBe('from tryboot.txt')
  })
})

describe('a damaged selector', () => {
  const damages: [string, Files][] = [
    ['missing', {}],
    ['empty', { 'autoboot.txt': '' }],
    ['garbage', { 'autoboot.txt': Buffer.alloc(512, 0xa7) }],
    ['zeroed', { 'autoboot.txt': Buffer.alloc(512) }],
    ['longer than 512 bytes', { 'autoboot.txt': SWAPPED.padEnd(513, '\n') }],
  ]
  it.each(damages)('the firmware boots slot a if autoboot.txt is %s', (_damage, selector) => {
    expect(summary(boot({ selector }))).toBe('2')
  })

  it('the firmware reads an autoboot.txt of exactly 512 bytes', () => {
    expect(summary(boot({ selector: { 'autoboot.txt': SWAPPED.padEnd(512, '\n') } }))).toBe('3')
  })

  it('the firmware boots slot b if slot a cannot boot', () => {
    expect(summary(boot({ selector: {}, a: undefined }))).toBe('3')
  })

  it('the firmware boots the selector itself if it holds firmware files', () => {
    expect(summary(boot({ selector: slotFiles('stray') }))).toBe('1')
  })
})

describe('a partition that cannot boot', () => {
  it.each([
    ['is no FAT file system', undefined],
    ['has no config.txt', without(slotFiles('a'), 'config.txt')],
    ['has no device tree of this stepping', without(slotFiles('a'), 'bcm2712-rpi-5-b.dtb')],
  ])('the boot fails if the partition %s', (_fault, a) => {
    expect(summary(boot({ a, settings: WITHOUT_WALK }))).toBe('stuck: partition 2 cannot boot')
  })

  it('a partition walk skips a partition that cannot boot', () => {
    expect(summary(boot({ a: undefined }))).toBe('3')
    expect(summary(boot({ b: undefined, selector: { 'autoboot.txt': SWAPPED } }))).toBe('2')
  })

  it('the boot fails if the other partition cannot boot either', () => {
    expect(summary(boot({ a: undefined, b: undefined }))).toBe('stuck: partition 2 cannot boot')
    expect(summary(boot({ a: undefined, b: undefined, selector: {} }))).toBe('stuck: no partition can boot')
  })

  it('a partition with os_check=0 boots without a device tree', () => {
    const a = slotFiles('a', { 'config.txt': 'os_check=0\n' })
    expect(summary(boot({ a: without(a, 'bcm2712-rpi-5-b.dtb'), settings: WITHOUT_WALK }))).toBe('2')
  })

  it('the stepping of the board decides which device tree a partition needs', () => {
    const a = without(slotFiles('a'), 'bcm2712d0-rpi-5-b.dtb')
    expect(summary(boot({ a, settings: { ...WITHOUT_WALK, stepping: 'c1' } }))).toBe('2')
    expect(summary(boot({ a, settings: { ...WITHOUT_WALK, stepping: 'd0' } }))).toBe('stuck: partition 2 cannot boot')
  })
})

describe('config.txt', () => {
  function startWith(config: string, files: Files = {}) {
    return started(boot({ a: slotFiles('a', { 'config.txt': config, ...files }) }))
  }

  it('config.txt chooses the command line by the boot partition', () => {
    const config = '[boot_partition=2]\ncmdline=a.txt\n[boot_partition=3]\ncmdline=b.txt\n'
    expect(startWith(config, { 'a.txt': 'for a', 'b.txt': 'for b' }).commandLine).toBe('for a')
  })

  it('the firmware starts kernel8.img if the named kernel is missing', () => {
    const { kernel, trace } = startWith('kernel=absent.img\n', { 'kernel8.img': 'fallback' })
    expect(kernel.name).toBe('kernel8.img')
    expect(trace).toContain('kernel: absent.img is missing')
  })

  it('the firmware starts kernel_2712.img if config.txt names no kernel', () => {
    expect(startWith('').kernel.name).toBe('kernel_2712.img')
  })

  it('the firmware finds the initramfs with auto_initramfs=1', () => {
    expect(startWith('').initramfs).toBeUndefined()
    const { initramfs } = startWith('auto_initramfs=1\n', { initramfs_2712: 'automatic' })
    expect(Buffer.from(initramfs?.bytes ?? []).toString()).toBe('automatic')
  })

  it('the trace names settings in config.txt that are not emulated', () => {
    expect(startWith('dtoverlay=disable-wifi\n').trace).toContain('config.txt: not emulated: dtoverlay=disable-wifi')
  })

  it('the firmware boots without a missing command line or initramfs', () => {
    const files = without(slotFiles('a'), 'cmdline.txt', 'initramfs.img')
    const { commandLine, initramfs } = started(boot({ a: files }))
    expect({ commandLine, initramfs }).toEqual({ commandLine: '', initramfs: undefined })
  })

  it('the boot fails without a kernel', () => {
    expect(summary(boot({ a: without(slotFiles('a'), 'kernel_2712.img') }))).toBe('stuck: no kernel on partition 2')
  })
})

describe('a disk without partitions', () => {
  it('a disk without partitions starts nothing, and the decision has a reason', () => {
    const decision = decideBoot(blockSourceOf(new Uint8Array(1024 * 1024)), POWER_ON, CURRENT_EEPROM)
    expect(summary(decision)).toBe('stuck: no partition can boot')
    expect(decision.trace.join('\n')).toMatch(/partition table/)
  })
})
