import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { jumpHost } from '../../images/jump-hosts.ts'
import type { Command } from '../../lib/program-error.ts'
import { run } from '../../lib/subprocess.ts'
import type { Address } from './address.ts'

/** The way to a host that this machine does not reach directly. */
export interface SshProxy {
  /** For messages: `the jump host 'me@bastion'`. */
  readonly name: string
  /** The value of ssh's option ProxyCommand. */
  readonly command: string
  /** For hints: the command that logs in to the jump host, or through a ProxyCommand to the host. */
  readonly login: string
  /** For hints: the commands that try the whole way to the host. */
  readonly tryByHand: string
}

export interface Route {
  /** Returns ssh; called only if ssh is needed for the way. */
  readonly ssh: () => Command
  readonly host: string
  readonly at: Address
  /** `network.jump` of the host file. It replaces the user's ssh configuration; 'none' means a direct connection. */
  readonly jump?: string | undefined
}

/**
 * The proxy for a host: the jump host of the host file, or else the ProxyJump or ProxyCommand that the user's ~/.ssh/config
 * has for the host's address or name. Undefined for a direct connection.
 */
export async function proxyOf({ ssh, host, at, jump }: Route): Promise<SshProxy | undefined> {
  if (jump === 'none') return undefined
  const config = userConfig()
  if (jump !== undefined) return jumpProxy(ssh(), jump, config, at, `'network.jump' in hosts/${host}.ts`)
  if (config === undefined) return undefined
  for (const name of new Set([at.address, host])) {
    const { proxyjump, proxycommand } = await configFor(ssh(), config, host, name)
    if (proxyjump !== undefined && proxyjump !== 'none')
      return jumpProxy(ssh(), proxyjump, config, at, `ProxyJump in '${config}'`)
    if (proxycommand !== undefined && proxycommand !== 'none') {
      const login = `ssh -p ${at.port} root@${name}`
      return { name: `the ProxyCommand of '${config}'`, command: proxycommand, login, tryByHand: login }
    }
  }
  return undefined
}

function userConfig(): string | undefined {
  const path = join(home(), '.ssh/config')
  return existsSync(path) ? path : undefined
}

/** A user without HOME and without an entry in /etc/passwd has no home directory. */
function home(): string {
  try {
    return homedir()
  } catch {
    return '/'
  }
}

async function configFor(ssh: Command, config: string, host: string, name: string): Promise<Record<string, string>> {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: home(), ...ssh.env }
  const { exitCode, output } = await run(ssh, ['-G', '-F', config, '--', name], { env })
  if (exitCode !== 0) {
    throw new UserError('login', `ssh cannot read '${config}': ${output.trim().split('\n').at(-1) ?? ''}`, {
      hint: `correct the file, or name the jump host in hosts/${host}.ts: network: { jump: 'USER@HOST' }, or jump: 'none'`,
    })
  }
  return Object.fromEntries(
    [...output.matchAll(/^(proxyjump|proxycommand) (.+)$/gm)].map(([, key, value]) => [key, value]),
  )
}

/** The user's ssh configuration applies to the jump host: its user, key, agent and known hosts. */
function jumpProxy(ssh: Command, jumps: string, config: string | undefined, at: Address, where: string): SshProxy {
  const hops = jumps.split(',').map((text) => text.trim().replace(/^ssh:\/\//, ''))
  const last = hops.at(-1) ?? ''
  const parsed = jumpHost(last)
  if (parsed === undefined) {
    throw new UserError('host', `${where} is '${last}', wanted [USER@]HOST[:PORT]`, {
      hint: "for example: jump: 'me@bastion.example.org:2222'",
    })
  }
  const { user, machine, port } = parsed
  const destination = [
    ...(hops.length > 1 ? ['-J', hops.slice(0, -1).join(',')] : []),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
  ]
  const words = [
    ...[ssh.file, ...ssh.args],
    ...(config === undefined ? [] : ['-F', config]),
    ...['-T', '-o', 'BatchMode=yes', '-o', 'ClearAllForwardings=yes', '-o', 'ConnectTimeout=10'],
    ...destination,
  ]
  const login = ['ssh', ...destination, machine].join(' ')
  return {
    name: `the jump host '${last}'`,
    login,
    tryByHand: `${login}, and there: nc -vz ${at.address} ${at.port}`,
    // ssh replaces %h and %p by the address and the port of the host.
    command: [...words.map(shellWord), '-W', "'[%h]:%p'", '--', shellWord(machine)].join(' '),
  }
}

/** A word for the shell that runs a ProxyCommand; ssh replaces `%%` by `%` before. */
function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`
}
