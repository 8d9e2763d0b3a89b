import { describe, expect, it } from 'vitest'
import { type DeviceTree, formatDeviceTree, parseDeviceTree, type TreeNode } from '../../../flash/vm/device-tree.ts'
import { withFirmwareFacts } from '../../../flash/vm/firmware-tree.ts'

const tree: DeviceTree = {
  reserved: [{ address: 0x4000_0000n, size: 0x1_0000_0000n }],
  bootCpu: 3,
  root: node('', { compatible: 'linux,dummy-virt\0', '#size-cells': [0, 0, 0, 2] }, [
    node('chosen', { 'stdout-path': '/pl011@9000000\0' }),
    node('memory@40000000', { empty: '', odd: 'abcde' }, [node('inner', { compatible: 'x\0' })]),
  ]),
}

const facts = { partition: 2, tryboot: false, bootCount: 3, bootMode: 1, version: 'emulated', buildTime: 0x6655_4433 }

describe('the device tree format', () => {
  it('a device tree is the same after writing and parsing', () => {
    expect(parseDeviceTree(formatDeviceTree(tree))).toEqual(tree)
  })

  it('a device tree has the same bytes after parsing and writing', () => {
    const bytes = formatDeviceTree(tree)
    expect(formatDeviceTree(parseDeviceTree(bytes))).toEqual(bytes)
  })

  it('writes a device tree in the layout of the specification', () => {
    const small = formatDeviceTree({ reserved: [], bootCpu: 0, root: node('', { a: 'b' }) })
    const expected = [
      'd00dfeed 0000005a 00000038 00000058 00000028 00000011 00000010 00000000 00000002 00000020',
      '0000000000000000 0000000000000000',
      '00000001 00000000 00000003 00000001 00000000 62000000 00000002 00000009',
      '6100',
    ]
    expect(Buffer.from(small).toString('hex')).toBe(expected.join('').replaceAll(' ', ''))
  })

  it('skips NOP tokens', () => {
    const bytes = Buffer.from(formatDeviceTree({ reserved: [], bootCpu: 0, root: node('', { a: 'b' }) }))
    // The property's three words and its value become four NOPs.
    for (const at of [0x40, 0x44, 0x48, 0x4c]) bytes.writeUInt32BE(4, at)
    expect(parseDeviceTree(bytes).root.properties.size).toBe(0)
  })

  it('refuses bytes that are no device tree', () => {
    expect(() => parseDeviceTree(Buffer.alloc(64))).toThrow('not a flattened device tree')
    expect(() => parseDeviceTree(Buffer.alloc(4))).toThrow('not a flattened device tree')
  })
})

describe('withFirmwareFacts', () => {
  it('writes the partition, the trial flag and the count of starts as big-endian 32-bit numbers', () => {
    const node = bootloaderNode(withFirmwareFacts(formatDeviceTree(tree), { ...facts, tryboot: true }))
    expect(
      Object.fromEntries([...node.properties].map(([name, value]) => [name, Buffer.from(value).toString('hex')])),
    ).toEqual({
      'boot-mode': '00000001',
      partition: '00000002',
      tryboot: '00000001',
      count: '00000003',
      'build-timestamp': '66554433',
      version: Buffer.from('emulated\0').toString('hex'),
    })
  })

  it('leaves all other nodes and properties unchanged', () => {
    const parsed = parseDeviceTree(withFirmwareFacts(formatDeviceTree(tree), facts))
    const chosen = parsed.root.children.find(({ name }) => name === 'chosen')
    expect(chosen?.properties).toEqual(tree.root.children[0]?.properties)
    expect(parsed.root.children.find(({ name }) => name.startsWith('memory'))).toEqual(tree.root.children[1])
    expect(parsed.reserved).toEqual(tree.reserved)
  })

  it('removes the seed for KASLR, so that Linux does not turn on KPTI, and keeps the seed for random numbers', () => {
    const chosen = node('chosen', { 'kaslr-seed': [1, 2, 3, 4, 5, 6, 7, 8], 'rng-seed': [9, 10] })
    const parsed = parseDeviceTree(
      withFirmwareFacts(formatDeviceTree({ ...tree, root: node('', {}, [chosen]) }), facts),
    )
    const after = parsed.root.children.find(({ name }) => name === 'chosen')
    expect([...(after?.properties ?? [])]).toEqual([['rng-seed', new Uint8Array([9, 10])]])
  })

  it('replaces an existing bootloader node', () => {
    const once = withFirmwareFacts(formatDeviceTree(tree), facts)
    const twice = withFirmwareFacts(once, { ...facts, partition: 3 })
    expect(bootloaderNode(twice).properties.get('partition')).toEqual(new Uint8Array([0, 0, 0, 3]))
    expect(twice.length).toBe(once.length)
  })
})

function node(name: string, properties: Record<string, string | number[]>, children: TreeNode[] = []): TreeNode {
  const values = Object.entries(properties).map(
    ([key, value]) => [key, new Uint8Array(Buffer.from(value as string))] as const,
  )
  return { name, properties: new Map(values), children }
}

function bootloaderNode(bytes: Uint8Array): TreeNode {
  const chosen = parseDeviceTree(bytes).root.children.filter(({ name }) => name === 'chosen')
  const found = chosen.flatMap(({ children }) => children.filter(({ name }) => name === 'bootloader'))
  expect(found).toHaveLength(1)
  return found[0] as TreeNode
}
