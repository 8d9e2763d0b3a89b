import { describe, expect, it } from 'vitest'
import { macAddressOf } from '../../../flash/vm/mac-address.ts'
import { dumpArguments, type Hardware, startArguments } from '../../../flash/vm/qemu-arguments.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'

const hardware: Hardware = {
  memory: 4 * 2 ** 30,
  accelerator: 'tcg',
  link: {
    kind: 'alone',
    network: { addresses: [parseInterfaceAddress('10.0.10.11/24')], gateways: [parseIpAddress('10.0.10.1')], dns: [] },
    forwards: [
      { guestPort: 22, port: 2201 },
      { guestPort: 9090, port: 9091 },
    ],
  },
  disk: '/tmp/a,b/disk.img',
  control: '/tmp/x/control',
  firmwarePort: '/tmp/x/firm,ware',
}
const payload = { kernel: '/k', initramfs: '/i', deviceTree: '/d', commandLine: 'console=ttyAMA0 quiet' }

function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []))
}

describe('QEMU arguments', () => {
  it("QEMU's arguments give the machine the memory of the host", () => {
    expect(valuesOf(startArguments(hardware, payload), '-m')).toEqual(['4096M'])
  })

  it('QEMU exits at a reset, so that the emulated firmware runs again', () => {
    expect(startArguments(hardware, payload)).toContain('-no-reboot')
  })

  it('QEMU forwards ports of the loopback to the static address of the image', () => {
    const [netdev] = valuesOf(startArguments(hardware, payload), '-netdev')
    expect(netdev).toContain(',net=10.0.10.0/24,host=10.0.10.1,')
    expect(netdev).toContain(',hostfwd=tcp:127.0.0.1:2201-10.0.10.11:22,hostfwd=tcp:127.0.0.1:9091-10.0.10.11:9090')
  })

  it('QEMU emulates the families of the host, and forwards no ports to a host without an IPv4 address', () => {
    const netdev = (addresses: string[], gateways: string[], dns: string[] = []) => {
      const network = {
        addresses: addresses.map(parseInterfaceAddress),
        ...{ gateways: gateways.map(parseIpAddress), dns: dns.map(parseIpAddress) },
      }
      const link = { kind: 'alone' as const, network, forwards: [{ guestPort: 22, port: 2201 }] }
      return valuesOf(startArguments({ ...hardware, link }, payload), '-netdev')
    }
    const ipv4 =
      'net=10.0.10.0/24,host=10.0.10.1,dns=10.0.10.238,dhcpstart=10.0.10.239,hostfwd=tcp:127.0.0.1:2201-10.0.10.11:22'
    const ipv6 = 'ipv6-net=fd00::/64,ipv6-host=fd00::1,ipv6-dns=fd00::2'
    expect(netdev(['10.0.10.11/24'], ['10.0.10.1'])).toEqual([`user,id=net,ipv6=off,${ipv4}`])
    expect(netdev(['fd00::11/64'], ['fd00::1'], ['fd00::2'])).toEqual([`user,id=net,ipv4=off,${ipv6}`])
    expect(netdev(['fd00::11/64', '10.0.10.11/24'], ['fe80::1', '10.0.10.1'], ['fd00::2'])).toEqual([
      `user,id=net,ipv4=on,ipv6=on,${ipv4},${ipv6}`,
    ])
  })

  it('QEMU connects the network card of a machine of a lab to the switch', () => {
    const link = { kind: 'switch' as const, socket: '/tmp/a,b/host-0', mac: macAddressOf('adama') }
    const args = startArguments({ ...hardware, link }, payload)
    expect(valuesOf(args, '-netdev')).toEqual(['stream,id=net,server=off,addr.type=unix,addr.path=/tmp/a,,b/host-0'])
    expect(valuesOf(args, '-device')).toContain(`virtio-net-pci,netdev=net,romfile=,mac=${link.mac}`)
  })

  it("QEMU's arguments escape the commas of a path", () => {
    expect(valuesOf(startArguments(hardware, payload), '-drive')[0]).toMatch(/file=\/tmp\/a,,b\/disk\.img$/)
  })

  it("QEMU's arguments pass the command line unchanged", () => {
    expect(valuesOf(startArguments(hardware, payload), '-append')).toEqual(['console=ttyAMA0 quiet'])
  })

  it("QEMU's arguments attach a watchdog that resets the machine", () => {
    const args = startArguments(hardware, payload)
    expect(valuesOf(args, '-device')).toContain('i6300esb')
    expect(valuesOf(args, '-action')).toEqual(['watchdog=reset'])
  })

  it("QEMU's arguments give the guest a port to the firmware with a fixed name", () => {
    const args = startArguments(hardware, payload)
    expect(valuesOf(args, '-chardev')).toContain('socket,id=firmware,path=/tmp/x/firm,,ware')
    expect(valuesOf(args, '-device')).toContain('virtserialport,chardev=firmware,name=hangar.firmware')
  })

  it("QEMU's arguments restore a saved memory only if the caller gives one", () => {
    expect(valuesOf(startArguments(hardware, payload, '/s,1/memory'), '-incoming')).toEqual(['file:/s,1/memory'])
    expect(startArguments(hardware, payload)).not.toContain('-incoming')
  })

  it("QEMU's arguments set the clock only if the caller gives a time", () => {
    expect(valuesOf(startArguments({ ...hardware, clock: '2031-02-03T04:05:06' }, payload), '-rtc')).toEqual([
      'base=2031-02-03T04:05:06',
    ])
    expect(startArguments(hardware, payload)).not.toContain('-rtc')
  })

  it("QEMU's arguments attach a second disk after the first", () => {
    const args = startArguments({ ...hardware, secondDisk: '/tmp/two,disks' }, payload)
    expect(valuesOf(args, '-drive')[1]).toBe('if=none,id=second,format=raw,discard=unmap,file=/tmp/two,,disks')
    const disks = valuesOf(args, '-device').filter((device) => device.startsWith('virtio-blk'))
    expect(disks).toEqual(['virtio-blk-pci,drive=disk', 'virtio-blk-pci,drive=second'])
  })

  it('QEMU logs the writes between machine and disk, and appends to the log after a reset', () => {
    const args = startArguments({ ...hardware, writeLog: '/tmp/a,b/log' }, payload)
    expect(args).not.toContain('-drive')
    const nodes = valuesOf(args, '-blockdev')
    expect(nodes.find((node) => node.endsWith('filename=/tmp/a,,b/disk.img'))).toContain('node-name=disk-file,')
    expect(nodes.find((node) => node.endsWith('filename=/tmp/a,,b/log'))).toContain('node-name=disk-log,')
    expect(nodes.at(-1)).toMatch(/^driver=blklogwrites,node-name=disk,.*file=disk-raw,log=disk-log,log-append=on,/)
    expect(valuesOf(args, '-device')).toContain('virtio-blk-pci,drive=disk')
  })

  it("QEMU's arguments name no initramfs if the machine has none", () => {
    expect(startArguments(hardware, { ...payload, initramfs: undefined })).not.toContain('-initrd')
  })

  it("QEMU's arguments describe the same machine for the device tree and for the start", () => {
    const dump = dumpArguments(hardware, '/tmp/out.dtb')
    expect(valuesOf(dump, '-M')).toEqual(['virt,gic-version=3,dumpdtb=/tmp/out.dtb'])
    for (const option of ['-cpu', '-smp', '-m']) {
      expect(valuesOf(dump, option)).toEqual(valuesOf(startArguments(hardware, payload), option))
    }
  })

  it("QEMU's arguments use KVM and the processor of this machine if possible", () => {
    const args = startArguments({ ...hardware, accelerator: 'kvm' }, payload)
    expect(valuesOf(args, '-cpu')).toEqual(['host'])
    expect(valuesOf(args, '-M')).toEqual(['virt,gic-version=host'])
  })
})
