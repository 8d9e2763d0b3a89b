import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { type Child, endChild, exitOf, feed, startChild } from '../../lib/subprocess.ts'
import { privateDirectory } from '../private-directory.ts'
import type { Program } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { proxyOf, type SshProxy } from './jump.ts'
import { type KeyHolder, keyHolder, withUserAgent } from './login-key.ts'
import { type Called, type CallOptions, plainLines, type Remote } from './remote.ts'
import {
  callArguments,
  controlSocket,
  exitArguments,
  keyLink,
  knownHosts,
  knownHostsFile,
  proxyErrors,
  type SshTarget,
} from './ssh-arguments.ts'
import { sshFailure, unreachable, type WantedHost } from './ssh-failure.ts'

export interface SshOptions {
  readonly ssh: Program
  readonly host: string
  readonly at: Address
  /** The public host keys that ssh accepts. ssh refuses a machine with any other key. */
  readonly hostKeys: readonly string[]
  readonly keyFile: string
  /** `network.jump` of the host file. */
  readonly jump?: string | undefined
  /** Ends every call. */
  readonly signal: AbortSignal
  /** The path of the agent on the host. */
  readonly agent?: string
}

const AGENT = '/usr/lib/hangar/agent'
/** The exit status of ssh's own failures. The agent never uses this status. */
const SSH_FAILED = 255
const STDERR_LIMIT = 16 * 1024
const SHELL_ANSWERS = 'hangar-shell-answers'

/** Connects to a host's agent over ssh for as long as `use` takes. */
export async function withSsh<T>(options: SshOptions, use: (remote: Remote) => Promise<T>): Promise<T> {
  const known = knownHosts(options.host, options.hostKeys)
  const { host, keyFile } = options
  const holder = await keyHolder({ host, keyFile, agentSocket: process.env.SSH_AUTH_SOCK })
  const proxy = await proxyOf({ ...options, ssh: () => options.ssh })
  const directory = privateDirectory()
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const remote = new SshRemote(options, { directory, keyHolder: holder, proxy })
  try {
    writeFileSync(knownHostsFile(directory), known)
    symlinkSync(resolve(keyFile), keyLink(directory))
    return await use(remote)
  } finally {
    await remote.disconnect()
    process.off('exit', remove)
    remove()
  }
}

/** What one connection adds to its options. */
interface Connection {
  /** Holds the files of the connection. */
  readonly directory: string
  readonly keyHolder: KeyHolder
  readonly proxy: SshProxy | undefined
}

class SshRemote implements Remote {
  readonly host: string
  readonly at: string
  private readonly options: SshOptions
  private readonly connection: Connection

  constructor(options: SshOptions, connection: Connection) {
    this.options = options
    this.connection = connection
    this.host = options.host
    this.at = formatAddress(options.at)
  }

  async call(words: readonly string[], options: CallOptions): Promise<Called> {
    const { agent = AGENT } = this.options
    const called = await this.run([agent, ...words], words[0] ?? '', options)
    if (called.exitCode === 126 || called.exitCode === 127) await this.requireShell(called)
    return called
  }

  /** A shell on the host ends with 126 or 127 without an agent, but so may ssh or a wrapper of ssh on this machine. */
  private async requireShell({ exitCode, stderr }: Called): Promise<void> {
    const { output } = await this.run(['echo', SHELL_ANSWERS], 'echo', { limit: STDERR_LIMIT, deadline: 60 })
    if (output.trimEnd().endsWith(SHELL_ANSWERS)) return
    const { host } = this
    throw new UserError('program', `ssh ended with status ${exitCode}, and no shell of '${host}' answered: ${stderr}`, {
      hint: `try ssh by hand: ssh -p ${this.options.at.port} root@${this.options.at.address} true`,
    })
  }

  private async run(words: readonly string[], name: string, { input, limit, deadline }: CallOptions): Promise<Called> {
    const { signal } = this.options
    signal.throwIfAborted()
    const child = startChild(this.ssh(), callArguments(this.target(), words))
    const tooLate = AbortSignal.timeout(deadline * 1000)
    const kill = () => endChild(child)
    const stops = [signal, tooLate]
    for (const stop of stops) stop.addEventListener('abort', kill)
    try {
      const [exitCode, fed, output, stderr] = await Promise.all([
        exitOf(child),
        feed(child, input ?? nothing()),
        collect(child, 'stdout', limit),
        collect(child, 'stderr', STDERR_LIMIT),
      ])
      signal.throwIfAborted()
      if (fed !== undefined) throw fed.failed
      if (output.length > limit) throw tooMuch(this.host, limit)
      if (tooLate.aborted) throw unreachable(this, `no answer to '${name}' within ${deadline} s`)
      const lines = plainLines(stderr.toString())
      if (exitCode === SSH_FAILED) throw sshFailure(this.wanted(), plainLines(`${this.takeProxyErrors()}\n${lines}`))
      return { exitCode, output: output.toString(), stderr: lines }
    } catch (error) {
      if (error instanceof UserError && error.code === 'unreachable') await this.disconnect()
      throw error
    } finally {
      for (const stop of stops) stop.removeEventListener('abort', kill)
    }
  }

  async disconnect(): Promise<void> {
    const socket = controlSocket(this.connection.directory)
    if (!existsSync(socket)) return
    const child = startChild(this.ssh(), exitArguments(this.target()))
    const force = setTimeout(() => endChild(child), 3000)
    for (const stream of [child.stdout, child.stderr]) stream.resume()
    // The master ends with the directory, too, so a failure here must not hide the error of a call.
    await Promise.allSettled([exitOf(child), feed(child, nothing())])
    clearTimeout(force)
    rmSync(socket, { force: true })
  }

  /** What the proxy wrote to stderr since the last call. */
  private takeProxyErrors(): string {
    const file = proxyErrors(this.connection.directory)
    if (!existsSync(file)) return ''
    const text = readFileSync(file, 'utf8').slice(-STDERR_LIMIT)
    rmSync(file)
    return text
  }

  private target(): SshTarget {
    const { host, at } = this.options
    const { directory, keyHolder: holder, proxy } = this.connection
    return { host, at, directory, keyHolder: holder, proxyCommand: proxy?.command }
  }

  /** A key with a passphrase and a jump host may need the user's ssh-agent. */
  private ssh(): Program {
    const { keyHolder: holder, proxy } = this.connection
    return holder === 'file' && proxy === undefined ? this.options.ssh : withUserAgent(this.options.ssh)
  }

  private wanted(): WantedHost {
    const { host, hostKeys, keyFile, at } = this.options
    const pinned = { pinned: hostKeys.map(fingerprintOf), pinnedTypes: hostKeys.map(keyType) }
    return { host, at: this.at, address: at.address, keyFile, proxy: this.connection.proxy, ...pinned }
  }
}

/** The type of a public key in the words of ssh's messages: `ED25519`. */
function keyType(key: string): string {
  const [type = ''] = key.trim().split(' ')
  return type.replace(/^(ssh-|ecdsa-sha2-nistp256$)/, (start) => (start === 'ssh-' ? '' : 'ECDSA')).toUpperCase()
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/**
 * Reads at most one byte more than the limit. The extra byte shows that the output is too long, and the program is then
 * stopped.
 */
async function collect(child: Child, stream: 'stdout' | 'stderr', limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of child[stream] as AsyncIterable<Buffer>) {
      if (size > limit) continue
      chunks.push(chunk)
      size += chunk.length
      if (size > limit && stream === 'stdout') endChild(child)
    }
  } catch {
    // Ignores the error: endChild closed the stream, and the caller of endChild reports the reason.
  }
  return Buffer.concat(chunks).subarray(0, limit + 1)
}

function tooMuch(host: string, limit: number): UserError {
  return new UserError('agent', `the agent of '${host}' answers with more than ${limit} bytes`, {
    hint: `the agent is damaged, or another program answers: look at the console of '${host}'`,
  })
}
