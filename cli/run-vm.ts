import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { IdentityTar } from '../flash/disk/write-host-disk.ts'
import type { MachineEnding } from '../flash/vm/machine.ts'
import type { ProgramRoot } from '../flash/vm/program.ts'
import type { Vm, VmHost } from '../flash/vm/vm.ts'
import { attachTerminal, type Terminal } from './attach-terminal.ts'
import { introduction, type NamedForward, prefixedConsole } from './text/vm.ts'

/** A host to boot. */
export interface BuiltHost {
  readonly host: VmHost
  /** The output directory `out/HOST`, where the build wrote `HOST.img`. */
  readonly output: string
  readonly forwards: readonly NamedForward[]
  /** The identity of the host in the project, for a new disk. */
  readonly identity?: IdentityTar | undefined
}

export interface VmSettings {
  readonly programs: ProgramRoot
  readonly disk: 'throw-away' | 'kept'
  /** The path of the owner's private key, for the printed ssh command. */
  readonly sshKey: string
  readonly terminal: Terminal
  /** Aborting this signal stops the machines. */
  readonly signal?: AbortSignal | undefined
}

export type RunVmOptions = BuiltHost & VmSettings

/** Boots a host's image with its console on the terminal, until the machine powers off or the user presses Ctrl-C. */
export async function runVm(options: RunVmOptions): Promise<MachineEnding> {
  const { host, terminal } = options
  const { startVm } = await import('../flash/vm/vm.ts')
  const write = writer(terminal)
  await printKeptDisk(options)
  const onPorts = (ports: Vm['ports']) =>
    write([...introduction(options, ports), 'press Ctrl-C to stop the machine', '', ''].join('\n'))
  const machine = await startVm({ ...options, image: imageOf(options), onPorts, onOutput: write })
  const detach = attachTerminal(machine, terminal, options.signal)
  try {
    const ending = await machine.ended
    if (ending === 'stuck') throw cannotBoot(host.name)
    write(`\r\n${endingLine(host.name, ending)}\n`)
    return ending
  } finally {
    detach()
  }
}

export interface RunLabOptions extends VmSettings {
  readonly hosts: readonly BuiltHost[]
}

/**
 * Boots several hosts on one network, until all machines power off or the user presses Ctrl-C. The keyboard is connected to
 * no console, because their lines are mixed.
 */
export async function runLab({ hosts, ...settings }: RunLabOptions): Promise<void> {
  const { terminal, signal } = settings
  const { startLab } = await import('../flash/vm/lab.ts')
  const write = writer(terminal)
  for (const each of hosts) await printKeptDisk({ ...each, ...settings })
  const width = Math.max(...hosts.map(({ host }) => host.name.length))
  const lab = await startLab(
    hosts.map((each) => {
      const { name } = each.host
      const console = prefixedConsole(name.padEnd(width), write)
      return {
        ...{ ...each, ...settings, image: imageOf(each), onOutput: console.take },
        onPorts: (ports) => write(`${introduction({ ...each, ...settings }, ports).join('\n')}\n`),
        onEnd: (ending) => console.end(endingLine(name, ending)),
      }
    }),
  )
  write('press Ctrl-C to stop all machines\n\n')
  const detach = attachTerminal({ send: () => undefined, stop: () => lab.stop() }, terminal, signal)
  try {
    const stuck = (await lab.ended).indexOf('stuck')
    if (stuck !== -1) throw cannotBoot(hosts[stuck]?.host.name ?? '')
  } finally {
    detach()
  }
}

function writer({ output }: Terminal): (text: string) => void {
  return (text) => void output.write(text)
}

function imageOf({ output, host }: BuiltHost): string {
  return join(output, `${host.name}.img`)
}

async function printKeptDisk(options: RunVmOptions): Promise<void> {
  const { disk, output, terminal, identity } = options
  const kept = join(output, 'vm.img')
  if (disk === 'throw-away' || !existsSync(kept)) return
  const { isOutdated } = await import('../flash/vm/disk.ts')
  const image = imageOf(options)
  const age = isOutdated(kept, image)
    ? `; the disk is older than '${image}'; to boot the new image, delete the disk`
    : ''
  writer(terminal)(`using the kept disk '${kept}'${age}\n`)
  if (identity === undefined || !existsSync(join(output, 'manifest.json'))) return
  const { hasOtherIdentity } = await import('../flash/vm/disk-identity.ts')
  if (await hasOtherIdentity(image, kept, identity)) writer(terminal)(`${OTHER_KEYS}\n`)
}

const OTHER_KEYS =
  'the disk has other age keys than the project, and cannot decrypt its secrets; to use the keys of the project, delete the disk'

function endingLine(host: string, ending: MachineEnding | 'failed'): string {
  if (ending === 'power-off') return `${host} powered off`
  if (ending === 'failed') return `${host} failed`
  return ending === 'stuck' ? `${host} found no bootable partition` : `${host} was stopped`
}

function cannotBoot(host: string): UserError {
  return new UserError('vm', `cannot boot '${host}': the firmware found no bootable partition on the disk`, {
    hint: `read the firmware's messages above, and build the image again: npm run build:image ${host}`,
  })
}
