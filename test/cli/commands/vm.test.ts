import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { machineArchitecture } from '../../../builder/context.ts'
import { type RunVmOptions, runLab, runVm } from '../../../cli/run-vm.ts'
import { introduction, prefixedConsole } from '../../../cli/text/vm.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { VM } from '../../../images/sets.ts'
import { FAKE_GATEWAY } from '../../helpers/fake-gateway.ts'
import { fakeToolchain } from '../../helpers/fake-toolchain.ts'
import { tempDirectory } from '../../helpers/temp.ts'

function networkAt(address: string, gateway = '10.0.10.1') {
  return { addresses: [parseInterfaceAddress(address)], gateways: [parseIpAddress(gateway)], dns: [] }
}

function options(given: Partial<RunVmOptions> = {}): RunVmOptions {
  return {
    host: {
      name: 'adama',
      memory: 4 * 2 ** 30,
      disk: 64e9,
      network: networkAt('10.0.10.11/24'),
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

  it('prints how to reach each port', () => {
    const lines = introduction(options(), { ssh: 2202, prometheus: 9091, mosquitto: 8883 })
    expect(lines).toEqual([
      'adama in a virtual machine with 4096 MiB of memory; its disk is discarded at the end (to keep it: --keep)',
      '  ssh         ssh -p 2202 -i /root/.config/hangar/ssh_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1',
      '  prometheus  http://127.0.0.1:9091',
      '  mosquitto   127.0.0.1:8883',
    ])
  })

  it('reports that only the console reaches a machine whose ports QEMU cannot forward', () => {
    expect(introduction(options(), {}).slice(1)).toEqual([
      '  only the console reaches the machine: QEMU forwards ports to IPv4 addresses, and the host has none',
    ])
  })

  it('reports that the machine keeps its disk', () => {
    expect(introduction(options({ disk: 'kept' }), {})[0]).toMatch(/; its disk is kept$/)
  })

  it('names a missing image before it boots one of several hosts', async () => {
    const output = await tempDirectory()
    writeFileSync(join(output, 'adama.img'), '')
    const { host, forwards, ...settings } = options()
    const other = { ...host, name: 'starbuck', network: networkAt('10.0.10.12/24') }
    const hosts = [
      { host, forwards, output },
      { host: other, forwards, output },
    ]
    await expect(runLab({ hosts, ...settings })).rejects.toThrow("cannot boot 'starbuck': ")
    expect(readdirSync(output)).toEqual(['adama.img'])
  })

  it('refuses to boot hosts of different networks together', async () => {
    const { host, forwards, output, ...settings } = options()
    const other = { ...host, name: 'far', network: networkAt('10.0.20.12/24', '10.0.20.1') }
    const hosts = [host, other].map((each) => ({ host: each, forwards, output }))
    await expect(runLab({ hosts, ...settings })).rejects.toThrow(
      "cannot boot 'adama', 'far' on one virtual network: 'adama' is in 10.0.10.0/24, and 'far' is in 10.0.20.0/24",
    )
  })
})

describe('several machines on one network', () => {
  /** Two hosts with empty images, and a program in place of QEMU. */
  async function lab(qemu: string) {
    const directory = await tempDirectory()
    const { directory: root, script } = fakeToolchain(directory, VM, ['qemu-system-aarch64'])
    writeFileSync(join(directory, 'qemu.cjs'), FAKE_GATEWAY)
    script(qemu.replace('FAKE', `exec '${process.execPath}' '${join(directory, 'qemu.cjs')}' "$@"`))
    const { host, ...settings } = options()
    const hosts = [host, { ...host, name: 'starbuck', network: networkAt('10.0.10.12/24') }].map((each) => {
      const output = join(directory, each.name)
      mkdirSync(output)
      writeFileSync(join(output, `${each.name}.img`), Buffer.alloc(2 ** 20))
      return { output, host: each, forwards: settings.forwards }
    })
    const terminal = { input: new PassThrough(), output: new PassThrough({ encoding: 'utf8' }) }
    const programs = { directory: root, architecture: machineArchitecture() }
    const ended = runLab({ ...settings, hosts, terminal, programs })
    const left = () => hosts.map(({ output }) => readdirSync(output))
    return { ended, left, written: () => String(terminal.output.read() ?? '') }
  }

  it('prints the ports of each host, the lines of each console, and how each machine ended', async () => {
    const { ended, left, written } = await lab('FAKE')
    await expect(ended).rejects.toMatchObject({
      message: "cannot boot 'adama': the firmware found no bootable partition on the disk",
    })
    const text = written()
    const [, first, second] = /ssh -p (\d+) [\s\S]*ssh -p (\d+) /.exec(text) ?? []
    expect(Number(second)).toBeGreaterThan(Number(first))
    expect(text).toContain('\npress Ctrl-C to stop all machines\n')
    expect(text).toMatch(/^adama {4}\| firmware: cannot start: .*\r$/m)
    expect(text).toMatch(/^starbuck \| starbuck found no bootable partition\r$/m)
    expect(left()).toEqual([['adama.img'], ['starbuck.img']])
  })

  it('removes the copied disks if the network cannot start', async () => {
    const { ended, left } = await lab('echo "Could not set up host forwarding rule" >&2; exit 1')
    await expect(ended).rejects.toMatchObject({ hint: 'another program took the port in the meantime: start again' })
    expect(left()).toEqual([['adama.img'], ['starbuck.img']])
  })
})

describe('the console of one of several machines', () => {
  function shown(...pieces: string[]): string[] {
    const lines: string[] = []
    const { take, end } = prefixedConsole('adama   ', (text) => lines.push(text))
    for (const piece of pieces) take(piece)
    end('adama powered off')
    expect(lines.every((line) => line.startsWith('adama    | ') && line.endsWith('\r\n'))).toBe(true)
    return lines.map((line) => line.slice('adama    | '.length, -2))
  }

  it('writes whole lines, also if a line arrives in pieces', () => {
    expect(shown('one\r\ntw', 'o\r', '\nlog', 'in: ')).toEqual(['one', 'two', 'login: ', 'adama powered off'])
  })

  it('writes the last version of a line that a program wrote again', () => {
    expect(shown('\r[ *  ] waits\r[  * ] waits\r\n')).toEqual(['[  * ] waits', 'adama powered off'])
  })

  it('keeps colours, and removes sequences that move the cursor or clear the screen', () => {
    expect(shown('\x1b[2J\x1b[1;1H\x1b[0;32mOK\x1b[0m\x1b[K\x1b[?25l done\n')[0]).toBe('\x1b[0;32mOK\x1b[0m done')
  })
})
