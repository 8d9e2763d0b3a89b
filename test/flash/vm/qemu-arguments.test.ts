import { describe, expect, it } from 'vitest'
import { dumpArguments, type Hardware, startArguments } from '../../../flash/vm/qemu-arguments.ts'

const hardware: Hardware = {
  memory: 4 * 2 ** 30,
  accelerator: 'tcg',
  network: { address: '10.0.10.11', prefix: 24, gateway: '10.0.10.1', dns: [] },
  forwards: [
    { guestPort: 22, port: 2201 },
    { guestPort: 9090, port: 9091 },
  ],
  disk: '/tmp/a,b/disk.img',
  control: '/tmp/x/control',
}
const payload = { kernel: '/k', initramfs: '/i', deviceTree: '/d', commandLine: 'console=ttyAMA0 quiet' }

function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []))
}

describe('QEMU arguments', () => {
  it('give the machine the memory of the host', () => {
    expect(valuesOf(startArguments(hardware, payload), '-m')).toEqual(['4096M'])
  })

  it('end QEMU at a reset, so that the firmware runs again', () => {
    expect(startArguments(hardware, payload)).toContain('-no-reboot')
  })

  it('forward ports of the loopback to the static address of the image', () => {
    const [netdev] = valuesOf(startArguments(hardware, payload), '-netdev')
    expect(netdev).toContain(',net=10.0.10.0/24,host=10.0.10.1,')
    expect(netdev).toContain(',hostfwd=tcp:127.0.0.1:2201-10.0.10.11:22,hostfwd=tcp:127.0.0.1:9091-10.0.10.11:9090')
  })

  it('keep commas of a path together', () => {
    expect(valuesOf(startArguments(hardware, payload), '-drive')[0]).toMatch(/file=\/tmp\/a,,b\/disk\.img$/)
  })

  it('pass the command line as it is', () => {
    expect(valuesOf(startArguments(hardware, payload), '-append')).toEqual(['console=ttyAMA0 quiet'])
  })

  it('leave the initramfs out where there is none', () => {
    expect(startArguments(hardware, { ...payload, initramfs: undefined })).not.toContain('-initrd')
  })

  it('describe the same machine when only its device tree is asked for', () => {
    const dump = dumpArguments(hardware, '/tmp/out.dtb')
    expect(valuesOf(dump, '-M')).toEqual(['virt,gic-version=3,dumpdtb=/tmp/out.dtb'])
    for (const option of ['-cpu', '-smp', '-m']) {
      expect(valuesOf(dump, option)).toEqual(valuesOf(startArguments(hardware, payload), option))
    }
  })

  it('use the processor of the machine itself where KVM can', () => {
    const args = startArguments({ ...hardware, accelerator: 'kvm' }, payload)
    expect(valuesOf(args, '-cpu')).toEqual(['host'])
    expect(valuesOf(args, '-M')).toEqual(['virt,gic-version=host'])
  })
})
