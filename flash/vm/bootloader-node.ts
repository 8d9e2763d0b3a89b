import { type DeviceTree, formatDeviceTree, parseDeviceTree, type TreeNode } from './device-tree.ts'

/** What the firmware tells the kernel about this boot, below `/chosen/bootloader`. Numbers are 32 bits, big-endian. */
export interface BootloaderFacts {
  readonly partition: number
  readonly tryboot: boolean
  /** 1 is SD card, 6 is NVMe: the digits of the EEPROM's BOOT_ORDER. */
  readonly bootMode: number
  /** Revision of the firmware. */
  readonly version: string
  /** When the firmware was built, in seconds since 1970. */
  readonly buildTime: number
}

/** The tree with the node that a Pi's firmware adds; one that is there already is replaced. */
export function withBootloaderNode(tree: Uint8Array, facts: BootloaderFacts): Uint8Array {
  const parsed = parseDeviceTree(tree)
  const chosen = childOf(parsed.root, 'chosen')
  const root = withChild(parsed.root, withChild(chosen, bootloaderNode(facts)))
  return formatDeviceTree({ ...parsed, root } satisfies DeviceTree)
}

function bootloaderNode(facts: BootloaderFacts): TreeNode {
  const properties = new Map<string, Uint8Array>([
    ['boot-mode', cell(facts.bootMode)],
    ['partition', cell(facts.partition)],
    ['tryboot', cell(facts.tryboot ? 1 : 0)],
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
