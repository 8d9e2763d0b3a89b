import { UserError } from '../../errors.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import {
  adoptHostIdentity,
  type IdentityContext,
  type IdentityOutcome,
  makeHostIdentity,
  type Rotated,
  rotateHostIdentity,
} from './host-identity.ts'

/** The change that `init` makes to a host's identity. */
export type InitGoal =
  | { readonly kind: 'make' }
  | { readonly kind: 'rotate'; readonly what: Rotated }
  | { readonly kind: 'adopt'; readonly fingerprint: string; readonly address: string }

export interface InitRequest extends IdentityContext {
  readonly host: string
  readonly goal: InitGoal
  /** Asks the machine at an address for its SSH host keys: `ssh-ed25519 AAAA…`. */
  readonly keyscan: (address: string) => Promise<readonly string[]>
}

/** Creates a host's identity, adds a key to it, or adopts the identity that the host created. */
export async function initHost(request: InitRequest): Promise<IdentityOutcome> {
  const { host, goal } = request
  if (goal.kind === 'make') return makeHostIdentity(request, host)
  if (goal.kind === 'rotate') return rotateHostIdentity(request, host, goal.what)
  const key = confirmedKey(host, goal, await request.keyscan(goal.address))
  return adoptHostIdentity(request, host, key)
}

/**
 * The scanned key whose fingerprint equals the one from the console. Any machine may answer at an address, so only the
 * console proves that the key is the host's.
 */
function confirmedKey(host: string, goal: InitGoal & { kind: 'adopt' }, scanned: readonly string[]): string {
  const key = scanned.find((line) => fingerprintOf(line) === goal.fingerprint)
  if (key !== undefined) return key
  const found = scanned.map(fingerprintOf).join(', ') || 'none'
  throw new UserError(
    'key',
    `cannot adopt the identity of ${host}: the machine at ${goal.address} has the key ${found}, wanted ${goal.fingerprint}`,
    { hint: `read the fingerprint on the console of ${host} again; if it differs, another machine uses this address` },
  )
}
