import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ReadStream, WriteStream } from 'node:tty'
import { UserError } from '../../errors.ts'
import { isOutdated } from '../../flash/vm/disk.ts'
import type { MachineEnding } from '../../flash/vm/machine.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import { type Forward, startVm, type Vm, type VmHost } from '../../flash/vm/vm.ts'

/** A forwarded port and what a person opens it with. */
export interface NamedForward extends Forward {
  readonly kind: 'ssh' | 'http' | 'tcp'
}

export interface RunVmOptions {
  readonly host: VmHost
  /** `out/HOST`, where the build left `HOST.img`. */
  readonly output: string
  readonly programs: ProgramRoot
  readonly forwards: readonly NamedForward[]
  readonly disk: 'throw-away' | 'kept'
  /** The owner's private key, for the command that is printed. */
  readonly sshKey: string
  readonly terminal: Terminal
  /** Ends the machine. */
  readonly signal?: AbortSignal | undefined
}

export interface Terminal {
  readonly input: ReadStream | NodeJS.ReadableStream
  readonly output: WriteStream | NodeJS.WritableStream
}

/** Boots a host's image with its serial console on the terminal, until it switches itself off or Ctrl-C is typed. */
export async function runVm(options: RunVmOptions): Promise<MachineEnding> {
  const { host, output, terminal } = options
  const image = join(output, `${host.name}.img`)
  const write = (text: string) => terminal.output.write(text)
  for (const line of diskNotes(options, image)) write(`${line}\n`)
  const introduce = (ports: Vm['ports']) => write(`${introduction(options, ports).join('\n')}\n\n`)
  const vm = await startVm({ ...options, image, onPorts: introduce, onOutput: write })
  const release = attach(vm, terminal, options.signal)
  try {
    return report(await vm.ended, host.name, write)
  } finally {
    release()
  }
}

/** Lines that say what runs, how it is reached and how it ends. */
export function introduction(options: RunVmOptions, ports: Vm['ports']): string[] {
  const { host, forwards, sshKey, disk } = options
  const fate = disk === 'kept' ? 'the disk is kept' : 'what it writes is thrown away (keep it with --keep)'
  const width = Math.max(0, ...forwards.map(({ name }) => name.length))
  return [
    `${host.name} in a virtual machine, ${host.memory / 2 ** 20} MiB of memory; ${fate}`,
    ...forwards.map(
      (forward) => `  ${forward.name.padEnd(width)}  ${howToReach(forward, ports[forward.name] ?? 0, sshKey)}`,
    ),
    'Ctrl-C ends it',
  ]
}

// The machine makes itself new host keys at each first boot: there is nothing to remember.
const FORGETFUL = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'

function howToReach({ kind }: NamedForward, port: number, sshKey: string): string {
  if (kind === 'ssh') return `ssh -p ${port} -i ${sshKey} ${FORGETFUL} root@127.0.0.1`
  return kind === 'http' ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`
}

function diskNotes({ disk, output }: RunVmOptions, image: string): string[] {
  const kept = join(output, 'vm.img')
  if (disk === 'throw-away' || !existsSync(kept)) return []
  const age = isOutdated(kept, image) ? `; it is older than '${image}': remove it to boot that` : ''
  return [`goes on with the disk '${kept}'${age}`]
}

const CTRL_C = '\x03'

/** Every key goes to the machine but Ctrl-C, which ends it. Returns what gives the terminal back. */
function attach(vm: Vm, { input }: Terminal, signal: AbortSignal | undefined): () => void {
  const stop = () => void vm.stop()
  const raw = 'setRawMode' in input && input.isTTY ? input : undefined
  const onData = (data: Buffer | string) => {
    const text = data.toString()
    if (raw !== undefined && text.includes(CTRL_C)) stop()
    else vm.send(text)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, stop)
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  raw?.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return () => {
    input.off('data', onData)
    input.pause()
    raw?.setRawMode(false)
    signal?.removeEventListener('abort', stop)
    for (const name of signals) process.off(name, stop)
  }
}

function report(ending: MachineEnding, host: string, write: (text: string) => void): MachineEnding {
  if (ending === 'stuck') {
    throw new UserError('vm', `the firmware found nothing to start on the disk of '${host}'`, {
      hint: `its reasons are above; build the image again: npm run build:image ${host}`,
    })
  }
  write(`\r\n${host} ${ending === 'power-off' ? 'switched itself off' : 'was stopped'}\n`)
  return ending
}
