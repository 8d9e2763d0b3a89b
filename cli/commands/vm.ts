import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { IdentityTar } from '../../flash/disk/write-host-disk.ts'
import type { MachineEnding } from '../../flash/vm/machine.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import type { Forward, Vm, VmHost } from '../../flash/vm/vm.ts'
import { attachTerminal, type Terminal } from '../attach-terminal.ts'
import type { Command } from '../command.ts'

export interface VmFlags {
  readonly keep?: true
}

export const vm: Command<VmFlags> = {
  name: 'vm',
  group: 'build',
  arguments: '<host>',
  summary: 'boot the built image in a virtual machine',
  details: [
    'Boots out/HOST behind an emulation of the Raspberry Pi firmware, with the serial console on this terminal.',
    'Prints how to reach sshd and every service. Ctrl-C stops the machine.',
    'The machine has the identity of the host in hosts/, if there is one, so that it can decrypt its secrets.',
  ],
  options: [{ flags: '--keep', about: 'keep the disk of the machine for the next start (default: discard it)' }],
  examples: [
    { about: 'boot the image of adama', line: 'npm run vm adama' },
    { about: 'boot adama, and keep the data it writes', line: 'npm run vm adama -- --keep' },
  ],
  async run(context, [name = ''], { keep }) {
    const { unpackPrograms } = await import('../programs.ts')
    const { projectIdentity } = await import('../project-identity.ts')
    const { keyDirectory } = await import('../../lib/user-directories.ts')
    const { forwardsOf } = await import('../../hosts/schema/forwards.ts')
    const { VM } = await import('../../images/sets.ts')
    const host = await context.hosts.load(name)
    const programs = await unpackPrograms(context, VM)
    const identity = await projectIdentity(context, host.name)
    context.leaveTerminal()
    await runVm({
      ...{ host, programs, forwards: forwardsOf(host), signal: context.signal },
      output: join(context.project, 'out', host.name),
      identity,
      disk: keep ? 'kept' : 'throw-away',
      sshKey: join(keyDirectory(context.env), 'ssh_key'),
      terminal: { input: process.stdin, output: process.stdout },
    })
    return undefined
  },
}

/** A forwarded port, and the kind of client that can connect to it. */
export interface NamedForward extends Forward {
  readonly kind: 'ssh' | 'http' | 'tcp'
}

export interface RunVmOptions {
  readonly host: VmHost
  /** The output directory `out/HOST`, where the build wrote `HOST.img`. */
  readonly output: string
  readonly programs: ProgramRoot
  readonly forwards: readonly NamedForward[]
  readonly disk: 'throw-away' | 'kept'
  /** The identity of the host in the project, for a new disk. */
  readonly identity?: IdentityTar | undefined
  /** The path of the owner's private key, for the printed ssh command. */
  readonly sshKey: string
  readonly terminal: Terminal
  /** Aborting this signal stops the machine. */
  readonly signal?: AbortSignal | undefined
}

/** Boots a host's image with its console on the terminal, until the machine powers off or the user presses Ctrl-C. */
export async function runVm(options: RunVmOptions): Promise<MachineEnding> {
  const { host, output, terminal } = options
  const { startVm } = await import('../../flash/vm/vm.ts')
  const image = join(output, `${host.name}.img`)
  const write = (text: string) => terminal.output.write(text)
  for (const line of await keptDiskNotes(options, image)) write(`${line}\n`)
  const introduce = (ports: Vm['ports']) => write(`${introduction(options, ports).join('\n')}\n\n`)
  const machine = await startVm({ ...options, image, onPorts: introduce, onOutput: write })
  const detach = attachTerminal(machine, terminal, options.signal)
  try {
    return report(await machine.ended, host.name, write)
  } finally {
    detach()
  }
}

/** The lines before the console's output: the machine, its ports, and the key that stops it. */
export function introduction(options: RunVmOptions, ports: Vm['ports']): string[] {
  const { host, forwards, sshKey, disk } = options
  const fate = disk === 'kept' ? 'its disk is kept' : 'its disk is discarded at the end (to keep it: --keep)'
  const width = Math.max(0, ...forwards.map(({ name }) => name.length))
  return [
    `${host.name} in a virtual machine with ${host.memory / 2 ** 20} MiB of memory; ${fate}`,
    ...(Object.keys(ports).length === 0 && forwards.length > 0
      ? ['  only the console reaches the machine: QEMU forwards ports to IPv4 addresses, and the host has none']
      : forwards.map(
          (forward) => `  ${forward.name.padEnd(width)}  ${howToReach(forward, ports[forward.name] ?? 0, sshKey)}`,
        )),
    'press Ctrl-C to stop the machine',
  ]
}

// Options with which ssh remembers no host key, because the machine makes new keys at each first boot.
const NO_KNOWN_HOSTS = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'

function howToReach({ kind }: NamedForward, port: number, sshKey: string): string {
  if (kind === 'ssh') return `ssh -p ${port} -i ${sshKey} ${NO_KNOWN_HOSTS} root@127.0.0.1`
  return kind === 'http' ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`
}

async function keptDiskNotes({ disk, output, identity }: RunVmOptions, image: string): Promise<string[]> {
  const kept = join(output, 'vm.img')
  if (disk === 'throw-away' || !existsSync(kept)) return []
  const { isOutdated } = await import('../../flash/vm/disk.ts')
  const age = isOutdated(kept, image)
    ? `; the disk is older than '${image}'; to boot the new image, delete the disk`
    : ''
  const using = `using the kept disk '${kept}'${age}`
  if (identity === undefined || !existsSync(join(output, 'manifest.json'))) return [using]
  const { hasOtherIdentity } = await import('../../flash/vm/disk-identity.ts')
  if (!(await hasOtherIdentity(image, kept, identity))) return [using]
  return [
    using,
    'the disk has other age keys than the project, and cannot decrypt its secrets; to use the keys of the project, delete the disk',
  ]
}

function report(ending: MachineEnding, host: string, write: (text: string) => void): MachineEnding {
  if (ending === 'stuck') {
    throw new UserError('vm', `cannot boot '${host}': the firmware found no bootable partition on the disk`, {
      hint: `read the firmware's messages above, and build the image again: npm run build:image ${host}`,
    })
  }
  write(`\r\n${host} ${ending === 'power-off' ? 'powered off' : 'was stopped'}\n`)
  return ending
}
