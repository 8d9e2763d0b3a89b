import { readFileSync, rmSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { UserError } from '../../errors.ts'
import { exitOf, startChild } from '../../lib/subprocess.ts'
import { privateDirectory } from '../private-directory.ts'
import { type Program, type ProgramRoot, programOf } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { proxyOf, type SshProxy } from './jump.ts'
import { withUserAgent } from './login-key.ts'
import { plainLines, plainText } from './remote.ts'
import { firstKeyOptions, knownHostsFile } from './ssh-arguments.ts'
import { sshFailure, unreachable } from './ssh-failure.ts'

export interface Keyscan {
  /** The unpacked `control` set, which contains ssh-keyscan. */
  readonly programs: ProgramRoot
  readonly host: string
  readonly at: Address
  /** `network.jump` of the host file. */
  readonly jump?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** The time for a machine to answer, in seconds. */
const PATIENCE = '10'

/**
 * The Ed25519 host keys that the machine at an address shows, as `ssh-ed25519 AAAA…`. Any machine may answer there, so
 * the caller must compare the keys with a known fingerprint.
 */
export async function keyscan(wanted: Keyscan): Promise<string[]> {
  const { programs, host, at, jump, signal } = wanted
  signal?.throwIfAborted()
  const ssh = () => programOf(programs, 'ssh')
  const proxy = await proxyOf({ ssh, host, at, jump })
  if (proxy !== undefined) return keysThrough(proxy, ssh(), wanted)
  const args = ['-T', PATIENCE, '-t', 'ed25519', '-p', String(at.port), '--', at.address]
  const { stdout, stderr, exitCode } = await outputOf(programOf(programs, 'ssh-keyscan'), args, signal)
  const keys = keysIn(stdout)
  if (keys.length > 0) return keys
  // Status 1 means that no machine showed a key.
  if (exitCode > 1) throw failed(exitCode, stderr)
  throw unreachable({ host, at: formatAddress(at) }, reasonIn(stderr))
}

/** ssh-keyscan knows no proxies. ssh accepts the first key into an empty list, and then the login without a key fails. */
async function keysThrough(proxy: SshProxy, ssh: Program, { host, at, signal }: Keyscan): Promise<string[]> {
  const directory = privateDirectory()
  try {
    const args = firstKeyOptions({ at, directory, proxyCommand: proxy.command })
    const { stderr } = await outputOf(withUserAgent(ssh), args, signal)
    const keys = keysIn(textOf(knownHostsFile(directory)))
    if (keys.length > 0) return keys
    const facts = { pinned: [], keyFile: '', address: at.address, proxy }
    throw sshFailure({ host, at: formatAddress(at), ...facts }, plainLines(stderr))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

async function outputOf(program: Program, args: readonly string[], signal: AbortSignal | undefined) {
  const child = startChild(program, args)
  const stop = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  child.stdin.end()
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]).finally(
    () => signal?.removeEventListener('abort', stop),
  )
  signal?.throwIfAborted()
  return { stdout, stderr, exitCode }
}

function failed(exitCode: number, stderr: string): UserError {
  const reason = plainText(stderr.trim().split('\n').at(-1) ?? '') || 'it wrote no error'
  return new UserError('program', `ssh-keyscan failed on this machine with status ${exitCode}: ${reason}`, {
    hint: 'check the programs in the store: npm run store:verify',
  })
}

/** Reads lines of `ADDRESS ssh-ed25519 AAAA…` and skips the others. */
function keysIn(stdout: string): string[] {
  return [...stdout.matchAll(/^\S+ (ssh-ed25519 [A-Za-z0-9+/]+=*)\s*$/gm)].map(([, key = '']) => key)
}

function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return plainText(lines.at(-1) ?? 'no ssh server with an Ed25519 key answers there')
}
