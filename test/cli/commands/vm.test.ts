import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { introduction, type RunVmOptions, runVm } from '../../../cli/commands/vm.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { tempDirectory } from '../../helpers/temp.ts'

function options(given: Partial<RunVmOptions> = {}): RunVmOptions {
  return {
    host: {
      name: 'adama',
      memory: 4 * 2 ** 30,
      disk: 64e9,
      network: {
        addresses: [parseInterfaceAddress('10.0.10.11/24')],
        gateways: [parseIpAddress('10.0.10.1')],
        dns: [],
      },
    },
    output: '/nowhere/out/adama',
    programs: { directory: '/nowhere', architecture: 'amd64' },
    forwards: [
      { name: 'ssh', guestPort: 22, port: 2201, kind: 'ssh' },
      { name: 'prometheus', guestPort: 9090, port: 9090, kind: 'http' },
      { name: 'mosquitto', guestPort: 8883, port: 8883, kind: 'tcp' },
    ],
    disk: 'throw-away',
    sshKey: '/root/.config/hangar/ssh_key',
    terminal: { input: new PassThrough(), output: new PassThrough() },
    ...given,
  }
}

describe('vm', () => {
  it('names the command that builds a missing image', async () => {
    const output = await tempDirectory()
    await expect(runVm(options({ output }))).rejects.toMatchObject({
      code: 'vm',
      message: `cannot boot 'adama': '${join(output, 'adama.img')}' does not exist`,
      hint: 'build the image: npm run build:image adama',
    })
  })

  it('prints how to reach each port and how to stop the machine', () => {
    const lines = introduction(options(), { ssh: 2202, prometheus: 9091, mosquitto: 8883 })
    expect(lines).toEqual([
      'adama in a virtual machine with 4096 MiB of memory; its disk is discarded at the end (to keep it: --keep)',
      '  ssh         ssh -p 2202 -i /root/.config/hangar/ssh_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1',
      '  prometheus  http://127.0.0.1:9091',
      '  mosquitto   127.0.0.1:8883',
      'press Ctrl-C to stop the machine',
    ])
  })

  it('reports that only the console reaches a machine whose ports QEMU cannot forward', () => {
    expect(introduction(options(), {}).slice(1)).toEqual([
      '  only the console reaches the machine: QEMU forwards ports to IPv4 addresses, and the host has none',
      'press Ctrl-C to stop the machine',
    ])
  })

  it('reports that the machine keeps its disk', () => {
    expect(introduction(options({ disk: 'kept' }), {})[0]).toMatch(/; its disk is kept$/)
  })
})
