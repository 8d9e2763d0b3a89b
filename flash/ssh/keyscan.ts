import { text } from 'node:stream/consumers'
import { exitOf, startChild } from '../../lib/subprocess.ts'
import { type ProgramRoot, programOf } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { plainText } from './remote.ts'
import { unreachable } from './ssh-failure.ts'

export interface Keyscan {
  /** The unpacked `control` set, which contains ssh-keyscan. */
  readonly programs: ProgramRoot
  readonly host: string
  readonly at: Address
  readonly signal?: AbortSignal | undefined
}

/** The time for a machine to answer, in seconds. */
const PATIENCE = '10'

/**
 * The Ed25519 host keys that the machine at an address shows, as `ssh-ed25519 AAAA…`. Any machine may answer there, so
 * the caller must compare the keys with a known fingerprint.
 */
export async function keyscan({ programs, host, at, signal }: Keyscan): Promise<string[]> {
  signal?.throwIfAborted()
  const args = ['-T', PATIENCE, '-t', 'ed25519', '-p', String(at.port), '--', at.address]
  const child = startChild(programOf(programs, 'ssh-keyscan'), args)
  const stop = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  child.stdin.end()
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]).finally(() =>
    signal?.removeEventListener('abort', stop),
  )
  signal?.throwIfAborted()
  const keys = keysIn(stdout)
  if (keys.length > 0) return keys
  throw unreachable({ host, at: formatAddress(at) }, reasonIn(stderr))
}

/** Reads lines of `ADDRESS ssh-ed25519 AAAA…` and skips the others. */
function keysIn(stdout: string): string[] {
  return [...stdout.matchAll(/^\S+ (ssh-ed25519 [A-Za-z0-9+/]+=*)\s*$/gm)].map(([, key = '']) => key)
}

function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return plainText(lines.at(-1) ?? 'no ssh server with an Ed25519 key answers there')
}
