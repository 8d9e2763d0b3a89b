/** A node of a device tree; the root's name is empty. The order is kept, because programs compare trees byte by byte. */
export interface TreeNode {
  readonly name: string
  readonly properties: ReadonlyMap<string, Uint8Array>
  readonly children: readonly TreeNode[]
}

/** A parsed flattened device tree. */
export interface DeviceTree {
  /** The memory ranges that the kernel must not use. */
  readonly reserved: readonly { readonly address: bigint; readonly size: bigint }[]
  readonly bootCpu: number
  readonly root: TreeNode
}

// Devicetree Specification 0.4, chapter 5: version 17, all numbers big-endian.
const MAGIC = 0xd00dfeed
const VERSION = 17
const COMPATIBLE_VERSION = 16
const HEADER = 40
const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const NOP = 4
const END = 9

/** Parses a device tree. Throws a plain Error for invalid bytes, because the bytes come only from QEMU and tests. */
export function parseDeviceTree(bytes: Uint8Array): DeviceTree {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER || view.getUint32(0) !== MAGIC)
    throw new Error('not a flattened device tree: wrong magic number')
  if (view.getUint32(24) > VERSION) throw new Error(`device tree of version ${view.getUint32(24)}, wanted ${VERSION}`)
  const strings = view.getUint32(12)
  const cursor = { at: view.getUint32(8) }
  if (nextToken(view, cursor) !== BEGIN_NODE) throw new Error('device tree without a root node')
  const root = parseNode(bytes, view, cursor, strings)
  return { reserved: parseReserved(view, view.getUint32(16)), bootCpu: view.getUint32(28), root }
}

/** Writes the tree in the format that `parseDeviceTree` reads. */
export function formatDeviceTree(tree: DeviceTree): Uint8Array {
  const strings = new StringTable()
  const structure: Uint8Array[] = []
  formatNode(tree.root, structure, strings)
  structure.push(words(END))
  const body = Buffer.concat(structure)
  const reserved = Buffer.concat([...tree.reserved.map(({ address, size }) => longs(address, size)), longs(0n, 0n)])
  const names = strings.bytes()
  const structureAt = HEADER + reserved.length
  const stringsAt = structureAt + body.length
  const total = stringsAt + names.length
  const header = words(
    ...[
      MAGIC,
      total,
      structureAt,
      stringsAt,
      HEADER,
      VERSION,
      COMPATIBLE_VERSION,
      tree.bootCpu,
      names.length,
      body.length,
    ],
  )
  return Buffer.concat([header, reserved, body, names])
}

function parseNode(bytes: Uint8Array, view: DataView, cursor: { at: number }, strings: number): TreeNode {
  const name = readString(bytes, cursor.at)
  cursor.at = align(cursor.at + Buffer.byteLength(name) + 1)
  const properties = new Map<string, Uint8Array>()
  const children: TreeNode[] = []
  for (;;) {
    const token = nextToken(view, cursor)
    if (token === END_NODE) return { name, properties, children }
    if (token === BEGIN_NODE) children.push(parseNode(bytes, view, cursor, strings))
    else if (token === PROPERTY) {
      const length = view.getUint32(cursor.at)
      const value = new Uint8Array(bytes.subarray(cursor.at + 8, cursor.at + 8 + length))
      properties.set(readString(bytes, strings + view.getUint32(cursor.at + 4)), value)
      cursor.at = align(cursor.at + 8 + length)
    } else throw new Error(`device tree with token ${token} in node '${name}'`)
  }
}

function nextToken(view: DataView, cursor: { at: number }): number {
  for (;;) {
    const token = view.getUint32(cursor.at)
    cursor.at += 4
    if (token !== NOP) return token
  }
}

function parseReserved(view: DataView, start: number): DeviceTree['reserved'] {
  const reserved: { address: bigint; size: bigint }[] = []
  for (let at = start; ; at += 16) {
    const entry = { address: view.getBigUint64(at), size: view.getBigUint64(at + 8) }
    if (entry.address === 0n && entry.size === 0n) return reserved
    reserved.push(entry)
  }
}

function formatNode(node: TreeNode, out: Uint8Array[], strings: StringTable): void {
  out.push(words(BEGIN_NODE), padded(Buffer.from(`${node.name}\0`)))
  for (const [name, value] of node.properties) {
    out.push(words(PROPERTY, value.length, strings.offset(name)), padded(value))
  }
  for (const child of node.children) formatNode(child, out, strings)
  out.push(words(END_NODE))
}

/** Collects the property names, without duplicates. */
class StringTable {
  private readonly offsets = new Map<string, number>()
  private length = 0

  offset(name: string): number {
    const known = this.offsets.get(name)
    if (known !== undefined) return known
    const offset = this.length
    this.offsets.set(name, offset)
    this.length += Buffer.byteLength(name) + 1
    return offset
  }

  bytes(): Uint8Array {
    return Buffer.from([...this.offsets.keys()].map((name) => `${name}\0`).join(''))
  }
}

function readString(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at)
  if (end < 0) throw new Error('device tree with an unterminated string')
  return Buffer.from(bytes.subarray(at, end)).toString()
}

function words(...values: number[]): Uint8Array {
  const out = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => {
    out.writeUInt32BE(value, index * 4)
  })
  return out
}

function longs(...values: bigint[]): Uint8Array {
  const out = Buffer.alloc(values.length * 8)
  values.forEach((value, index) => {
    out.writeBigUInt64BE(value, index * 8)
  })
  return out
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(align(bytes.length))
  out.set(bytes)
  return out
}

function align(offset: number): number {
  return (offset + 3) & ~3
}
