import { beforeAll, describe, expect, it } from 'vitest'
import { BOARDS } from '../../../images/board.ts'
import { type Alias, type BuiltKernel, builtKernel } from '../../helpers/built-kernel.ts'
import { compatibleOf, everyNode, isEnabled, modaliasOf, type Placed, withSuppliers } from '../../helpers/suppliers.ts'

const board = BOARDS['raspberry-pi-5']

/** Devices that the initramfs needs to find the slot, and the watchdog: their drivers are in the initramfs. */
const FOR_BOOT = {
  watchdog: 'brcm,bcm2712-pm',
  'SD card': 'brcm,bcm2712-sdhci',
  'PCIe, for NVMe': 'brcm,bcm2712-pcie',
  'RP1, for USB disks': 'pci1de4,1',
  USB: 'snps,dwc3',
  'firmware, for the tryboot flag': 'raspberrypi,bcm2835-firmware',
}

/** Devices that a running host needs: their drivers are in the kernel layer. */
const FOR_RUNNING = {
  Ethernet: 'raspberrypi,rp1-gem',
  'random numbers': 'brcm,bcm2711-rng200',
  'power button': 'gpio-keys',
  screen: 'brcm,bcm2712-vc6',
}

/** Devices that are not in the device tree: they are on a bus, or another driver creates them. */
const FOUND_FOR_BOOT = {
  'the watchdog in the power manager': 'platform:bcm2835-wdt',
  'USB ports behind dwc3': 'platform:xhci-hcd',
  'an SD card': 'mmc:block',
  'an NVMe disk': 'pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02',
  'a USB disk': 'usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00',
  'a fast USB disk': 'usb:v174Cp55AAd0100dc00dsc00dp00ic08isc06ip62in00',
  'a disk behind USB': 'scsi:t-0x00',
  'the ports of the virtual machine, one of which is its firmware': 'virtio:d00000003v00000001',
}
const FOUND_WHEN_RUNNING = {
  // The Ethernet PHY BCM54213PE has the id 0x600d84a2.
  'the Ethernet port’s PHY': 'mdio:01100000000011011000010010100010',
  'a keyboard': 'hid:b0003g0001v0000046Dp0000C31C',
}

/** The kernel's core handles these nodes, and has no module alias for them. */
const CORE = ['fixed-clock', 'arm,gic-400']

let kernel: BuiltKernel
beforeAll(async () => {
  kernel = await builtKernel(board)
}, 600_000)

const patterns = new Map<string, RegExp>()

/** Matches a shell pattern as modprobe does. */
function matches(modalias: string, pattern: string): boolean {
  const known = patterns.get(pattern)
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = known ?? new RegExp(`^${source}$`)
  patterns.set(pattern, expression)
  return expression.test(modalias)
}

type Drivers = readonly Alias[]
const inInitramfs = ({ builtIn, layer, loaded }: BuiltKernel): Drivers => [
  ...builtIn,
  ...layer.filter(({ module }) => loaded.includes(module)),
]
const inSystem = ({ builtIn, layer }: BuiltKernel): Drivers => [...builtIn, ...layer]
const without = (drivers: Drivers, module: string) => drivers.filter((each) => each.module !== module)

/** The wanted devices and their suppliers that have no driver: `PATH (COMPATIBLE)`. */
function withoutDriver(tree: string, wanted: string, drivers: Drivers): string[] {
  const all = everyNode(kernel.trees.get(tree) ?? { name: '', properties: new Map(), children: [] })
  const devices = all.filter((each) => isEnabled(each) && compatibleOf(each).includes(wanted))
  if (devices.length === 0) return [`no enabled device is '${wanted}'`]
  const needed = new Set(devices.flatMap((each) => withSuppliers(each, all)))
  return [...needed].filter((each) => !isBound(each, drivers)).map((each) => `${each.path} (${compatibleOf(each)})`)
}

function isBound(device: Placed, drivers: Drivers): boolean {
  if (compatibleOf(device).some((each) => CORE.includes(each))) return true
  const modalias = modaliasOf(device)
  return drivers.some(({ pattern }) => matches(modalias, pattern))
}

describe.each(Object.keys(board.deviceTrees))('the kernel has drivers for %s', (tree) => {
  it.each(Object.entries(FOR_BOOT))('the initramfs has drivers for %s and its suppliers', (_what, compatible) => {
    expect(withoutDriver(tree, compatible, inInitramfs(kernel))).toEqual([])
  })

  it.each(Object.entries(FOR_RUNNING))('the kernel layer has drivers for %s and its suppliers', (_what, compatible) => {
    expect(withoutDriver(tree, compatible, inSystem(kernel))).toEqual([])
  })

  // Negative control: the check above must fail without each of the modules that only a real board uses.
  it.each([
    ['sdhci_brcmstb', 'brcm,bcm2712-sdhci', 'mmc@fff000'],
    ['gpio_brcmstb', 'brcm,bcm2712-sdhci', 'gpio@'],
    ['gpio_regulator', 'brcm,bcm2712-sdhci', 'sd-io-1v8-reg'],
    ['fixed', 'brcm,bcm2712-sdhci', 'sd-vcc-reg'],
    ['pinctrl_brcmstb_bcm2712', 'brcm,bcm2712-sdhci', 'pinctrl@'],
    ['irq_bcm2712_mip', 'brcm,bcm2712-pcie', 'msi-controller@'],
    ['rp1_pci', 'snps,dwc3', 'pci1de4,1'],
    ['pinctrl_rp1', 'snps,dwc3', 'pinctrl@'],
  ])('the check of drivers fails without %s (negative control)', (module, compatible, missed) => {
    const lacking = withoutDriver(tree, compatible, without(inInitramfs(kernel), module))
    expect(lacking.join('\n')).toContain(missed)
  })
})

describe('the kernel has drivers for devices that are not in the device tree', () => {
  it.each(Object.entries(FOUND_FOR_BOOT))('the initramfs has a driver for %s', (_what, modalias) => {
    expect(inInitramfs(kernel).filter(({ pattern }) => matches(modalias, pattern))).not.toEqual([])
  })

  it.each(Object.entries(FOUND_WHEN_RUNNING))('the kernel layer has a driver for %s', (_what, modalias) => {
    expect(inSystem(kernel).filter(({ pattern }) => matches(modalias, pattern))).not.toEqual([])
  })
})

describe('the initramfs', () => {
  it('the initramfs loads the watchdog first', () => {
    expect(kernel.loaded[0]).toBe('bcm2835_wdt')
  })

  it('the initramfs loads hangar_tryboot, which is also in the kernel layer', () => {
    expect(kernel.loaded).toContain('hangar_tryboot')
    expect(kernel.files.filter((path) => path.startsWith('updates/'))).toEqual(['updates/hangar_tryboot.ko'])
  })
})
