import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { childProgram } from '../child-program.ts'
import { type HostProgram, hostPrograms } from '../host-programs.ts'
import { tempDirectory } from '../temp.ts'

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
  /** Listens at ports (`tcp:1883`), on all addresses, until the test ends. */
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

/** Two machines. The test gives them addresses on the interface `wire`. */
export async function twoMachines(): Promise<[host: Machine, other: Machine]> {
  const directory = await tempDirectory()
  const programs = await hostPrograms()
  const compiled = (name: string) => childProgram(`import './test/helpers/network/${name}.ts'`, join(directory, name))
  const files = { server: await compiled('server'), client: await compiled('client') }
  const [host, other] = [await namespace(), await namespace()]
  const machines = [host, other].map((each) => machineIn(each, programs, files)) as [Machine, Machine]
  machines[0].run(`$ip link add wire type veth peer name wire netns ${other.pid}`)
  for (const each of machines) each.run('$ip link set lo up && $ip link set wire up')
  return machines
}

/** A process in a namespace of its own, which ends with the test. */
async function namespace(): Promise<ChildProcess> {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo here; read -r end'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

function machineIn(
  { pid = 0 }: ChildProcess,
  programs: Record<HostProgram, string>,
  files: { readonly server: string; readonly client: string },
): Machine {
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
      onTestFinished(() => void server.kill())
      await once(server.stdout, 'data')
    },
  }
}
