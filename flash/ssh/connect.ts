import type { Program } from '../vm/program.ts'
import type { Address } from './address.ts'
import { Agent } from './agent.ts'
import { withSsh } from './ssh.ts'

/** A host as the repository knows it. */
export interface Target {
  readonly host: string
  readonly at: Address
  /** Public keys that it may show: from hosts/HOST.identity.json. */
  readonly hostKeys: readonly string[]
}

/** Speaks to a host's agent for as long as `use` takes. */
export type Connect = <T>(target: Target, use: (agent: Agent) => Promise<T>) => Promise<T>

export interface ConnectOptions {
  readonly ssh: Program
  /** The owner's private key for logins. */
  readonly keyFile: string
  /** Name for the lock of a host that is written to. */
  readonly owner: string
  readonly signal: AbortSignal
}

export function sshConnect({ owner, ...options }: ConnectOptions): Connect {
  return (target, use) => withSsh({ ...options, ...target }, (remote) => use(new Agent(remote, owner)))
}
