import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { macAddressOf } from '../../../flash/vm/mac-address.ts'
import type { Program } from '../../../flash/vm/program.ts'
import type { Hardware } from '../../../flash/vm/qemu-arguments.ts'
import { readSavedState, writeSavedState } from '../../../flash/vm/saved-state.ts'
import type { HostNetwork } from '../../../flash/vm/subnet.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const QEMU: Program = { file: '/vm-1-digest/loader', args: ['qemu'], env: {} }
const NETWORK = {
  addresses: [parseInterfaceAddress('10.0.10.11/24')],
  gateways: [parseIpAddress('10.0.10.1')],
  dns: [],
}
const alone = (network: HostNetwork, port: number) => ({
  link: { kind: 'alone' as const, network, forwards: [{ guestPort: 22, port }] },
})
const onSwitch = (socket: string, host: string) => ({
  link: { kind: 'switch' as const, socket, mac: macAddressOf(host) },
})
const HARDWARE: Hardware = {
  ...{
    memory: 4 * 2 ** 30,
    accelerator: 'tcg',
    disk: '/x/disk.img',
    control: '/x/control',
    firmwarePort: '/x/firmware',
  },
  ...alone(NETWORK, 22201),
}
const STARTS = [{ partition: 2, tryboot: false }]

async function saved(
  parts: readonly string[] = ['kernel', 'tree', 'initramfs'],
  hardware: Hardware = HARDWARE,
): Promise<string> {
  const from = await tempDirectory()
  for (const part of parts) writeFileSync(join(from, part), `the ${part}`)
  const payload = {
    kernel: join(from, 'kernel'),
    deviceTree: join(from, 'tree'),
    initramfs: parts.includes('initramfs') ? join(from, 'initramfs') : undefined,
    commandLine: 'ro quiet',
  }
  const directory = await tempDirectory()
  await writeSavedState(directory, { qemu: QEMU, hardware, payload, starts: STARTS, console: 'login:' })
  return directory
}

describe('a saved state', () => {
  it('a saved state keeps the boot files, the command line, the starts and the console', async () => {
    const { payload, starts, console } = readSavedState(await saved(), QEMU, HARDWARE)
    expect({ starts, console }).toEqual({ starts: STARTS, console: 'login:' })
    expect(payload.commandLine).toBe('ro quiet')
    const files = [payload.kernel, payload.deviceTree, payload.initramfs ?? ''].map((path) =>
      readFileSync(path, 'utf8'),
    )
    expect(files).toEqual(['the kernel', 'the tree', 'the initramfs'])
  })

  it('a saved state has no initramfs if the machine had none', async () => {
    const { payload } = readSavedState(await saved(['kernel', 'tree']), QEMU, HARDWARE)
    expect(payload.initramfs).toBeUndefined()
  })

  it('a saved state fits a machine with other paths and ports', async () => {
    const elsewhere = { disk: '/y/disk.img', control: '/y/control', firmwarePort: '/y/firmware' }
    const hardware = { ...HARDWARE, ...elsewhere, ...alone(NETWORK, 22202) }
    expect(readSavedState(await saved(), QEMU, hardware).starts).toEqual(STARTS)
  })

  it('a saved state of a machine of a lab fits another socket of the switch, and no other network card', async () => {
    const directory = await saved(undefined, { ...HARDWARE, ...onSwitch('/x/host-0', 'adama') })
    const read = (socket: string, host: string) =>
      readSavedState(directory, QEMU, { ...HARDWARE, ...onSwitch(socket, host) })
    expect(read('/y/host-1', 'adama').starts).toEqual(STARTS)
    expect(() => read('/x/host-0', 'starbuck')).toThrow(/was saved by another QEMU/)
  })

  it.each<[string, Program, Partial<Hardware>]>([
    ['another QEMU', { ...QEMU, file: '/vm-1-other/loader' }, {}],
    ['another size of the memory', QEMU, { memory: 2 ** 30 }],
    ['another accelerator', QEMU, { accelerator: 'kvm' }],
    ['another address', QEMU, alone({ ...NETWORK, addresses: [parseInterfaceAddress('10.0.10.12/24')] }, 22201)],
    ['a network with other machines', QEMU, onSwitch('/x/host-0', 'adama')],
    ['another clock', QEMU, { clock: '2031-02-03T04:05:06' }],
    ['a second disk', QEMU, { secondDisk: '/x/second.img' }],
    ['a log of the writes', QEMU, { writeLog: '/x/log' }],
  ])('refuses a saved state for %s', async (_, qemu, change) => {
    const directory = await saved()
    expect(() => readSavedState(directory, qemu, { ...HARDWARE, ...change })).toThrow(/was saved by another QEMU/)
  })

  it('refuses a saved state without its description, which is written last', async () => {
    const directory = await tempDirectory()
    expect(() => readSavedState(directory, QEMU, HARDWARE)).toThrow(/ENOENT/)
  })
})
