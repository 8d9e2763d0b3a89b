import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { UserError } from '../../errors.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { type Child, endChild, exitOf, feed, startChild } from '../../lib/subprocess.ts'
import { removeAbandoned, temporaryDirectory } from '../vm/disk.ts'
import type { Program } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { type Called, type CallOptions, plainText, type Remote } from './remote.ts'
import { callArguments, controlSocket, exitArguments, knownHosts, knownHostsFile } from './ssh-arguments.ts'
import { sshFailure, unreachable, type WantedHost } from './ssh-failure.ts'

export interface SshOptions {
  readonly ssh: Program
  readonly host: string
  readonly at: Address
  /** The public host keys that ssh accepts. ssh refuses a machine with any other key. */
  readonly hostKeys: readonly string[]
  readonly keyFile: string
  /** Aborting this signal ends every call. */
  readonly signal: AbortSignal
  /** The path of the agent on the host. */
  readonly agent?: string
}

const AGENT = '/usr/lib/hangar/agent'
/** The exit status of ssh's own failures. The agent never uses this status. */
const SSH_FAILED = 255
const STDERR_LIMIT = 16 * 1024

/** Connects to a host's agent over ssh for as long as `use` takes. */
export async function withSsh<T>(options: SshOptions, use: (remote: Remote) => Promise<T>): Promise<T> {
  const known = knownHosts(options.host, options.hostKeys)
  requireKey(options)
  removeAbandoned(tmpdir())
  const directory = temporaryDirectory(tmpdir())
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const remote = new SshRemote(options, directory)
  try {
    writeFileSync(knownHostsFile(directory), known)
    return await use(remote)
  } finally {
    await remote.disconnect()
    process.off('exit', remove)
    remove()
  }
}

function requireKey({ host, keyFile }: SshOptions): void {
  if (existsSync(keyFile)) return
  throw new UserError('login', `cannot log in to '${host}': its login key '${keyFile}' does not exist`, {
    hint: 'restore your copy of the key. A build without it creates a new key, which a running host does not accept',
  })
}

class SshRemote implements Remote {
  readonly host: string
  readonly at: string
  private readonly options: SshOptions
  private readonly directory: string

  constructor(options: SshOptions, directory: string) {
    this.options = options
    this.directory = directory
    this.host = options.host
    this.at = formatAddress(options.at)
  }

  async call(words: readonly string[], { input, limit, deadline }: CallOptions): Promise<Called> {
    const { signal, ssh, agent = AGENT } = this.options
    signal.throwIfAborted()
    const child = startChild(ssh, callArguments(this.target(), [agent, ...words]))
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
      if (tooLate.aborted) throw unreachable(this, `no answer to '${words[0]}' within ${deadline} s`)
      const lines = inLines(stderr.toString())
      if (exitCode === SSH_FAILED) throw sshFailure(this.wanted(), lines)
      return { exitCode, output: output.toString(), stderr: lines }
    } catch (error) {
      if (error instanceof UserError && error.code === 'unreachable') await this.disconnect()
      throw error
    } finally {
      for (const stop of stops) stop.removeEventListener('abort', kill)
    }
  }

  async disconnect(): Promise<void> {
    const socket = controlSocket(this.directory)
    if (!existsSync(socket)) return
    const child = startChild(this.options.ssh, exitArguments(this.target()))
    const force = setTimeout(() => endChild(child), 3000)
    for (const stream of [child.stdout, child.stderr]) stream.resume()
    await Promise.all([exitOf(child), feed(child, nothing())])
    clearTimeout(force)
    rmSync(socket, { force: true })
  }

  private target() {
    return { ...this.options, directory: this.directory }
  }

  private wanted(): WantedHost {
    const { host, hostKeys, keyFile } = this.options
    return { host, at: this.at, keyFile, pinned: hostKeys.map(fingerprintOf) }
  }
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

function inLines(text: string): string {
  return text.split('\n').map(plainText).filter(Boolean).join('\n')
}
