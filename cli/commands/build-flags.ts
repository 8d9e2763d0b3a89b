import type { Network } from '../../builder/context.ts'
import type { FrozenFlag } from '../../builder/lock/frozen.ts'
import { UserError } from '../../errors.ts'

export interface BuildFlags {
  readonly offline?: true
  readonly runner?: string
  /** A number, as it was typed. */
  readonly generation?: string
}

/** What flags mean together. Without a network no lock can be resolved: it is frozen then. */
export function buildMode(
  { offline, generation }: BuildFlags,
  frozen: FrozenFlag,
): { readonly frozen: FrozenFlag; readonly network: Network } {
  if (generation !== undefined && frozen !== undefined)
    throw usage("an earlier generation has a lock of its own: '--frozen' and '--no-frozen' say nothing about it")
  if (!offline) return { frozen, network: 'online' }
  if (frozen === 'no-frozen') throw usage("'--offline' and '--no-frozen' exclude each other")
  return { frozen: 'frozen', network: 'offline' }
}

function usage(message: string): UserError {
  return new UserError('usage', message, { hint: 'give one of them' })
}
