import { text } from 'node:stream/consumers'
import { exitOf, startChild } from '../../lib/subprocess.ts'
import { type ProgramRoot, programOf } from '../vm/program.ts'
import { type Address, formatAddress } from './address.ts'
import { plainText } from './plain-text.ts'
import { unreachable } from './ssh-failure.ts'

export interface Keyscan {
  /** The unpacked `control` set, which ssh-keyscan comes with. */
  readonly programs: ProgramRoot
  readonly host: string
  readonly at: Address
  readonly signal?: AbortSignal | undefined
}

/** Seconds that a machine has to answer in. */
const PATIENCE = '10'

/**
 * The Ed25519 host keys that a machine shows to anybody who asks, as `ssh-ed25519 AAAA…`. Who that machine is, they do
 * not say: compare them.
 */
export async function keyscan({ programs, host, at, signal }: Keyscan): Promise<string[]> {
  signal?.throwIfAborted()
  const args = ['-T', PATIENCE, '-t', 'ed25519', '-p', String(at.port), '--', at.address]
  const child = startChild(programOf(programs, 'ssh-keyscan'), args)
  const stop = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  child.stdin.end()
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]).finally(() =>
    signal?.removeEventListener('abort', stop),
  )
  signal?.throwIfAborted()
  const keys = keysIn(said)
  if (keys.length > 0) return keys
  throw unreachable({ host, at: formatAddress(at) }, reasonIn(complaint))
}

/** `ADDRESS ssh-ed25519 AAAA…` a line, beside remarks. */
function keysIn(said: string): string[] {
  return [...said.matchAll(/^\S+ (ssh-ed25519 [A-Za-z0-9+/]+=*)\s*$/gm)].map(([, key = '']) => key)
}

function reasonIn(complaint: string): string {
  const lines = complaint.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return plainText(lines.at(-1) ?? 'no ssh server with an Ed25519 key answers there')
}
