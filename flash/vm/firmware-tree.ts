import { formatDeviceTree, parseDeviceTree, type TreeNode } from './device-tree.ts'

/** The facts about one boot that the firmware passes to the kernel in `/chosen/bootloader`, as big-endian 32-bit numbers. */
export interface BootloaderFacts {
  readonly partition: number
  readonly tryboot: boolean
  /** The number of starts since the power came on, modulo 256. */
  readonly bootCount: number
  /** The kind of disk, 1 for SD card, 6 for NVMe: the digits of the EEPROM's BOOT_ORDER. */
  readonly bootMode: number
  /** The git revision of the firmware. */
  readonly version: string
  /** The build time of the firmware, in seconds since 1970. */
  readonly buildTime: number
}

/**
 * Changes QEMU's tree into one that a Pi 5's firmware would pass on: adds the bootloader's node, and gives the serial port
 * the number of the Pi's debug connector (`serial10`). With the name ttyAMA0 the kernel would not find `console=ttyAMA10`
 * and the console would stay empty.
 */
export function withFirmwareFacts(tree: Uint8Array, facts: BootloaderFacts): Uint8Array {
  const parsed = parseDeviceTree(tree)
  const chosen = withChild(withoutKaslr(childOf(parsed.root, 'chosen')), bootloaderNode(facts))
  const root = withChild(withChild(parsed.root, chosen), serialAliases(parsed.root))
  return formatDeviceTree({ ...parsed, root })
}

// Removes the seed for KASLR. With a seed, Linux turns on KPTI on a Cortex-A76, and every system call changes the ASID.
// QEMU then empties its whole TLB, which doubles the boot time (docs/decisions/0016-faster-vm-suites.md).
function withoutKaslr(chosen: TreeNode): TreeNode {
  return { ...chosen, properties: new Map([...chosen.properties].filter(([name]) => name !== 'kaslr-seed')) }
}

function serialAliases(root: TreeNode): TreeNode {
  const aliases = childOf(root, 'aliases')
  const others = [...aliases.properties].filter(([name]) => !name.startsWith('serial'))
  const port = root.children.find(({ name }) => name.startsWith('pl011@'))
  const serial: [string, Uint8Array][] = port === undefined ? [] : [['serial10', text(`/${port.name}`)]]
  return { ...aliases, properties: new Map([...others, ...serial]) }
}

function bootloaderNode(facts: BootloaderFacts): TreeNode {
  const properties = new Map<string, Uint8Array>([
    ['boot-mode', cell(facts.bootMode)],
    ['partition', cell(facts.partition)],
    ['tryboot', cell(facts.tryboot ? 1 : 0)],
    ['count', cell(facts.bootCount)],
    ['build-timestamp', cell(facts.buildTime)],
    ['version', text(facts.version)],
  ])
  return { name: 'bootloader', properties, children: [] }
}

function childOf(node: TreeNode, name: string): TreeNode {
  return node.children.find((child) => child.name === name) ?? { name, properties: new Map(), children: [] }
}

function withChild(node: TreeNode, child: TreeNode): TreeNode {
  return { ...node, children: [...node.children.filter(({ name }) => name !== child.name), child] }
}

function cell(value: number): Uint8Array {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`)
}
