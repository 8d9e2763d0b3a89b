import type { TreeNode } from '../../flash/vm/device-tree.ts'

/** A node and its path from the root. `above` are its parents, the root first. */
export interface Placed {
  readonly path: string
  readonly node: TreeNode
  readonly above: readonly Placed[]
}

/** Properties that list suppliers. Each entry is a phandle and as many cells as the supplier states. */
const LISTS: readonly (readonly [name: RegExp, cells: string])[] = [
  [/^clocks$/, '#clock-cells'],
  [/^resets$/, '#reset-cells'],
  [/^power-domains$/, '#power-domain-cells'],
  [/^dmas$/, '#dma-cells'],
  [/^phys$/, '#phy-cells'],
  [/^mboxes$/, '#mbox-cells'],
  [/^interrupts-extended$/, '#interrupt-cells'],
  [/^msi-parent$/, '#msi-cells'],
  [/(^|-)gpios?$/, '#gpio-cells'],
  [/-supply$/, ''],
  [/^pinctrl-\d+$/, ''],
]

/** Every node of a tree, parents first. */
export function everyNode(root: TreeNode): Placed[] {
  const walk = (node: TreeNode, above: readonly Placed[]): Placed[] => {
    const placed = { path: [...above.map((each) => each.node.name), node.name].join('/') || '/', node, above }
    return [placed, ...node.children.flatMap((child) => walk(child, [...above, placed]))]
  }
  return walk(root, [])
}

/** Returns a device, its parents and suppliers, and all their parents and suppliers: every device that it needs to work. */
export function withSuppliers(device: Placed, all: readonly Placed[]): Placed[] {
  const handles = new Map(all.map((each) => [cells(each.node, 'phandle')[0], each]))
  const found = new Set<Placed>()
  const visit = (each: Placed) => {
    if (found.has(each)) return
    found.add(each)
    for (const next of [...each.above, ...suppliersOf(each, handles)]) visit(next)
  }
  visit(device)
  return [...found].filter(({ node, above }) => above.length > 0 && node.properties.has('compatible'))
}

export function isEnabled({ node, above }: Placed): boolean {
  return [node, ...above.map((each) => each.node)].every((each) => ['', 'okay', 'ok'].includes(text(each, 'status')))
}

export function compatibleOf({ node }: Placed): string[] {
  return strings(node, 'compatible')
}

/** The alias that the kernel looks up in `modules.alias` (drivers/of/module.c), or the PCI alias of a PCI device. */
export function modaliasOf(placed: Placed): string {
  const compatible = compatibleOf(placed)
  const [, vendor, device] = /^pci([0-9a-f]+),([0-9a-f]+)$/.exec(compatible[0] ?? '') ?? []
  if (vendor !== undefined && device !== undefined) {
    const number = (digits: string) => digits.toUpperCase().padStart(8, '0')
    return `pci:v${number(vendor)}d${number(device)}sv00000000sd00000000bc02sc00i00`
  }
  const type = text(placed.node, 'device_type') || '(null)'
  return `of:N${placed.node.name.split('@')[0]}T${type}${compatible.map((each) => `C${each}`).join('')}`
}

function suppliersOf({ path, node, above }: Placed, handles: ReadonlyMap<number | undefined, Placed>): Placed[] {
  const found: Placed[] = []
  for (const name of node.properties.keys()) {
    const list = LISTS.find(([expression]) => expression.test(name))
    const values = list === undefined ? [] : cells(node, name)
    for (let at = 0; at < values.length; ) {
      const supplier = handles.get(values[at])
      if (supplier === undefined) throw new Error(`'${name}' of ${path} names no node: ${values[at]}`)
      found.push(supplier)
      at += 1 + (cells(supplier.node, list?.[1] ?? '')[0] ?? 0)
    }
  }
  return [...found, ...interruptParent(node, above, handles)]
}

/** The nearest node on the path that names an interrupt parent. */
function interruptParent(
  node: TreeNode,
  above: readonly Placed[],
  handles: ReadonlyMap<number | undefined, Placed>,
): Placed[] {
  if (!node.properties.has('interrupts')) return []
  const nodes = [node, ...above.map((each) => each.node).reverse()]
  const handle = nodes.map((each) => cells(each, 'interrupt-parent')[0]).find((each) => each !== undefined)
  const parent = handles.get(handle)
  return handle === undefined || parent === undefined ? [] : [parent]
}

function cells(node: TreeNode, name: string): number[] {
  const bytes = Buffer.from(node.properties.get(name) ?? [])
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readUInt32BE(at * 4))
}

function strings(node: TreeNode, name: string): string[] {
  const bytes = Buffer.from(node.properties.get(name) ?? [])
  return bytes.toString().split('\0').filter(Boolean)
}

function text(node: TreeNode, name: string): string {
  return strings(node, name)[0] ?? ''
}
