import { join } from 'node:path'
import type { Command } from '../command.ts'

export interface VmFlags {
  readonly keep?: true
}

export const vm: Command<VmFlags> = {
  name: 'vm',
  group: 'build',
  arguments: '<hosts...>',
  summary: 'boot the built images of hosts in virtual machines',
  details: [
    'Boots out/HOST behind an emulation of the Raspberry Pi firmware, with the serial console on this terminal.',
    'Prints how to reach sshd and every service. Ctrl-C stops the machine.',
    'The machine has the identity of the host in hosts/, if there is one, so that it can decrypt its secrets.',
    'Several hosts share one virtual network, where they reach each other at their addresses. The lines of each console',
    'begin with the name of the host, and the keyboard is connected to none. Ctrl-C stops all machines.',
  ],
  options: [{ flags: '--keep', about: 'keep the disks of the machines for the next start (default: discard them)' }],
  examples: [
    { about: 'boot the image of adama', line: 'npm run vm adama' },
    { about: 'boot adama, and keep the data it writes', line: 'npm run vm adama -- --keep' },
    { about: 'boot two hosts on one network', line: 'npm run vm adama starbuck' },
  ],
  async run(context, names, { keep }) {
    const { unpackPrograms } = await import('../programs.ts')
    const { projectIdentity } = await import('../project-identity.ts')
    const { keyDirectory } = await import('../../lib/user-directories.ts')
    const { forwardsOf } = await import('../../hosts/schema/forwards.ts')
    const { VM } = await import('../../images/sets.ts')
    const { sharedNetwork } = await import('../../flash/vm/shared-network.ts')
    const { runLab, runVm } = await import('../run-vm.ts')
    const hosts = []
    for (const name of names) {
      const host = await context.hosts.load(name)
      const identity = await projectIdentity(context, host.name)
      hosts.push({ host, forwards: forwardsOf(host), output: join(context.project, 'out', host.name), identity })
    }
    // Refuses wrong hosts before it downloads QEMU.
    sharedNetwork(hosts.map(({ host }) => host))
    const programs = await unpackPrograms(context, VM)
    context.leaveTerminal()
    const settings = {
      ...{ programs, signal: context.signal },
      disk: keep ? ('kept' as const) : ('throw-away' as const),
      sshKey: join(keyDirectory(context.env), 'ssh_key'),
      terminal: { input: process.stdin, output: process.stdout },
    }
    const [first, ...others] = hosts
    if (first !== undefined && others.length === 0) await runVm({ ...first, ...settings })
    else await runLab({ hosts, ...settings })
    return undefined
  },
}
