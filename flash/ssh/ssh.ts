import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { UserError } from '../../errors.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { type Child, endChild, exitOf, feed, startChild } from '../child.ts'
import { removeAbandoned, temporaryDirectory } from '../vm/disk.ts'
import type { Program } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { knownHosts } from './known-hosts.ts'
import { plainText } from './plain-text.ts'
import type { Called, CallOptions, Remote } from './remote.ts'
import { callArguments, controlSocket, exitArguments, knownHostsFile } from './ssh-arguments.ts'
import { type Sought, sshFailure, unreachable } from './ssh-failure.ts'

export interface SshOptions {
  readonly ssh: Program
  readonly host: string
  readonly at: Address
  /** Public keys that the host may show; no other machine is spoken to. */
  readonly hostKeys: readonly string[]
  readonly keyFile: string
  /** Ends every call. */
  readonly signal: AbortSignal
  /** Where the agent is on the host. */
  readonly agent?: string
}

const AGENT = '/usr/lib/hangar/agent'
/** ssh's own failures; the agent never ends so. */
const SSH_FAILED = 255
const COMPLAINT_LIMIT = 16 * 1024

/** Speaks to a host's agent over ssh for as long as `use` takes. */
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
  throw new UserError('login', `the key that logs in to '${host}' is not there: '${keyFile}'`, {
    hint: 'bring your copy of it; a first build makes one, which older images do not know',
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
    const child = startChild(ssh, callArguments(this.place(), [agent, ...words]))
    const tooLate = AbortSignal.timeout(deadline * 1000)
    const kill = () => endChild(child)
    const stops = [signal, tooLate]
    for (const stop of stops) stop.addEventListener('abort', kill)
    try {
      const [exitCode, fed, output, complaint] = await Promise.all([
        exitOf(child),
        feed(child, input ?? nothing()),
        collect(child, 'stdout', limit),
        collect(child, 'stderr', COMPLAINT_LIMIT),
      ])
      signal.throwIfAborted()
      if (fed !== undefined) throw fed.failed
      if (output.length > limit) throw tooMuch(this.host, limit)
      if (tooLate.aborted) throw unreachable(this, `'${words[0]}' gave no answer within ${deadline} s`)
      const said = inLines(complaint.toString())
      if (exitCode === SSH_FAILED) throw sshFailure(this.sought(), said)
      return { exitCode, output: output.toString(), complaint: said }
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
    const child = startChild(this.options.ssh, exitArguments(this.place()))
    const force = setTimeout(() => endChild(child), 3000)
    for (const stream of [child.stdout, child.stderr]) stream.resume()
    await Promise.all([exitOf(child), feed(child, nothing())])
    clearTimeout(force)
    rmSync(socket, { force: true })
  }

  private place() {
    return { ...this.options, directory: this.directory }
  }

  private sought(): Sought {
    const { host, hostKeys, keyFile } = this.options
    return { host, at: this.at, keyFile, pinned: hostKeys.map(fingerprintOf) }
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Up to one byte more than the limit, which tells that there was more; a program that says too much is ended. */
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
    // Closed from this side: whoever ended the program knows why.
  }
  return Buffer.concat(chunks).subarray(0, limit + 1)
}

function tooMuch(host: string, limit: number): UserError {
  return new UserError('agent', `the agent of '${host}' answers with more than ${limit} bytes`, {
    hint: `it is not to be trusted as it is: look at it on its console, or flash its disk anew`,
  })
}

function inLines(text: string): string {
  return text.split('\n').map(plainText).filter(Boolean).join('\n')
}
