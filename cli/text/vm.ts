import type { Forward, Vm, VmHost } from '../../flash/vm/vm.ts'

/** A forwarded port, and the kind of client that can connect to it. */
export interface NamedForward extends Forward {
  readonly kind: 'ssh' | 'http' | 'tcp'
}

/** The facts about a machine that its introduction names. */
export interface Introduced {
  readonly host: VmHost
  readonly forwards: readonly NamedForward[]
  readonly disk: 'throw-away' | 'kept'
  /** The path of the owner's private key, for the printed ssh command. */
  readonly sshKey: string
}

/** The lines before the console's output: the machine and its ports. */
export function introduction({ host, forwards, sshKey, disk }: Introduced, ports: Vm['ports']): string[] {
  const fate = disk === 'kept' ? 'its disk is kept' : 'its disk is discarded at the end (to keep it: --keep)'
  const width = Math.max(0, ...forwards.map(({ name }) => name.length))
  return [
    `${host.name} in a virtual machine with ${host.memory / 2 ** 20} MiB of memory; ${fate}`,
    ...(Object.keys(ports).length === 0 && forwards.length > 0
      ? ['  only the console reaches the machine: QEMU forwards ports to IPv4 addresses, and the host has none']
      : forwards.map(
          (forward) => `  ${forward.name.padEnd(width)}  ${howToReach(forward, ports[forward.name] ?? 0, sshKey)}`,
        )),
  ]
}

// Options with which ssh remembers no host key, because the machine makes new keys at each first boot.
const NO_KNOWN_HOSTS = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'

function howToReach({ kind }: NamedForward, port: number, sshKey: string): string {
  if (kind === 'ssh') return `ssh -p ${port} -i ${sshKey} ${NO_KNOWN_HOSTS} root@127.0.0.1`
  return kind === 'http' ? `http://127.0.0.1:${port}` : `127.0.0.1:${port}`
}

/** A control sequence of a terminal that is not a colour: it moves the cursor, or clears a part of the screen. */
const MOVES = /\x1b(?:\[[0-9;?]*[A-Za-ln-z]|[()][A-Z0-9]|[=>78])/g

/** The console of one of several machines: writes whole lines that begin with the label. */
export function prefixedConsole(label: string, write: (text: string) => void) {
  let unfinished = ''
  const line = (text: string) => {
    // A program that writes a line again begins with a carriage return: the last version counts.
    const last = text.replace(/\r+$/, '').split('\r').at(-1) ?? ''
    write(`${label} | ${last.replace(MOVES, '')}\r\n`)
  }
  return {
    take: (text: string) => {
      const lines = (unfinished + text).split('\n')
      unfinished = lines.pop() ?? ''
      for (const each of lines) line(each)
    },
    /** Writes the unfinished line, and the last line of the console. */
    end: (text: string) => {
      if (unfinished !== '') line(unfinished)
      unfinished = ''
      line(text)
    },
  }
}
