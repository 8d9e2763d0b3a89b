import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childProgram } from '../child-program.ts'
import { type HostProgram, hostPrograms } from '../host-programs.ts'

/** An attempt to connect to a listening port, as a user. `from` is the address of the sender. */
export interface Attempt {
  readonly uid: number
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly from?: string
}

/** One of two machines that are joined by a cable: a network namespace of this kernel. */
export interface Machine {
  /** Runs shell words as root, and returns their output. Throws if they fail. Programs of the `base` layer come as `$nft`. */
  run(words: string): string
  /** Listens at ports (`tcp:1883`), on all addresses, until the end. */
  listen(...ports: string[]): Promise<void>
  /** Tries to connect. Returns `open`, `silent` or the code of an error for each attempt. */
  attempt(attempts: readonly Attempt[]): string[]
  /** Replaces the rules of the firewall. */
  load(ruleset: string): void
}

/** Why this machine cannot run namespaces with a firewall; undefined if it can. */
export async function withoutNamespaces(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can use several users in a network namespace'
  const programs = await hostPrograms()
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'sh', '-c', `${programs.nft} -f -`], {
    input: PROBE,
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  const reason = error?.message ?? stderr.trim()
  if (reason.includes('syntax error')) throw new Error(`the probe is not a ruleset: ${reason}`)
  return `cannot load nftables rules in a namespace: ${reason}`
}

/** Every kind of expression that the rules of hosts use: a kernel without one of them cannot load any rules. */
const PROBE = `table inet probe {
  counter c { }
  set s {
    type ipv4_addr; flags interval;
    elements = { 10.0.0.0/8 }
  }
  chain refuse {
    reject with icmpx admin-prohibited
  }
  chain output {
    type filter hook output priority filter; policy drop;
    ct state established accept
    meta skuid vmap { 0 : accept }
    ip daddr != @s tcp dport 1 limit rate 6/minute log prefix "x"
    counter name c goto refuse
  }
}
`

export interface TwoMachines {
  readonly host: Machine
  readonly other: Machine
  end(): void
}

/** Two machines. The caller gives them addresses on the interface `wire`. */
export async function twoMachines(): Promise<TwoMachines> {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-machines-'))
  const programs = await hostPrograms()
  const compiled = (name: string) => childProgram(`import './test/helpers/network/${name}.ts'`, join(directory, name))
  const files = { server: await compiled('server'), client: await compiled('client') }
  const namespaces = [await namespace(), await namespace()] as const
  const children: ChildProcess[] = [...namespaces]
  const [host, other] = namespaces.map(({ pid = 0 }) => machineIn({ pid, programs, files, children })) as [
    Machine,
    Machine,
  ]
  host.run(`$ip link add wire type veth peer name wire netns ${namespaces[1].pid}`)
  for (const each of [host, other]) each.run('$ip link set lo up && $ip link set wire up')
  const end = () => {
    for (const each of children) each.kill()
    rmSync(directory, { recursive: true })
  }
  return { host, other, end }
}

/** A process in a namespace of its own. It ends with its standard input, so at the latest with the process of the tests. */
async function namespace(): Promise<ChildProcess> {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo here; read -r end'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

interface Namespace {
  readonly pid: number
  readonly programs: Record<HostProgram, string>
  readonly files: { readonly server: string; readonly client: string }
  /** The processes to end. */
  readonly children: ChildProcess[]
}

function machineIn({ pid, programs, files, children }: Namespace): Machine {
  const inside = ['--target', String(pid), '--net']
  const functions = Object.entries(programs).map(([name, words]) => `${name.replace('.', '_')}() { ${words} "$@"; }`)
  const run = (words: string, input = '') => {
    const script = `${functions.join('\n')}\n${words.replace(/\$(nft|ip|jq|btrfs)\b/g, '$1')}`
    const ended = spawnSync('nsenter', [...inside, 'sh', '-ec', script], { input, encoding: 'utf8' })
    if (ended.status !== 0) throw new Error(`'${words}' ended with ${ended.status}: ${ended.stderr}`)
    return ended.stdout
  }
  return {
    run,
    load: (ruleset) => void run('$nft -f -', ruleset),
    attempt: (attempts) => JSON.parse(run(`'${process.execPath}' '${files.client}'`, JSON.stringify(attempts))),
    async listen(...ports) {
      const server = spawn('nsenter', [...inside, process.execPath, files.server, ...ports], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      children.push(server)
      await once(server.stdout, 'data')
    },
  }
}
