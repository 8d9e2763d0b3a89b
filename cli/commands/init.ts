import {
  adoptHostIdentity,
  type IdentityContext,
  type IdentityOutcome,
  makeHostIdentity,
  type Rotated,
  rotateHostIdentity,
} from '../../builder/keys/host-identity.ts'
import { UserError } from '../../errors.ts'
import { fingerprintOf } from '../../images/identity/fingerprint.ts'
import { privateIdentityFile } from '../../images/identity/private-identity.ts'
import { publicIdentityFile } from '../../images/identity/public-identity.ts'

/** What `init` is asked to do beside making an identity. */
export type InitGoal =
  | { readonly kind: 'make' }
  | { readonly kind: 'rotate'; readonly what: Rotated }
  | { readonly kind: 'adopt'; readonly fingerprint: string; readonly address: string }

export interface InitFlags {
  readonly rotate?: string
  readonly adopt?: string
  /** `ADDRESS[:PORT]` */
  readonly at?: string
}

export interface InitCommand extends IdentityContext {
  readonly host: string
  readonly goal: InitGoal
  /** The SSH host keys that a machine shows, as `ssh-ed25519 AAAA…`. */
  readonly keyscan: (address: string) => Promise<readonly string[]>
}

/** The goal that flags mean together; `address` is the host file's. */
export function initGoal({ rotate, adopt, at }: InitFlags, address: string): InitGoal {
  if (rotate !== undefined && adopt !== undefined)
    throw usage("'--rotate' and '--adopt' exclude each other", 'give one')
  if (at !== undefined && adopt === undefined)
    throw usage("'--at' is for '--adopt' alone", 'an identity that is made here needs no network')
  if (rotate !== undefined) {
    if (rotate === 'ssh' || rotate === 'age') return { kind: 'rotate', what: rotate }
    throw usage(`cannot rotate '${rotate}'`, 'wanted: --rotate ssh, or --rotate age')
  }
  if (adopt === undefined) return { kind: 'make' }
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(adopt)) return { kind: 'adopt', fingerprint: adopt, address: at ?? address }
  throw usage(`not a fingerprint: '${adopt}'`, "the host shows it on its console: 'SHA256:' and 43 letters and digits")
}

/** Makes a host's identity, adds to it, or takes over the host's own; the text to end with. */
export async function initCommand(command: InitCommand): Promise<string> {
  const { host, goal } = command
  if (goal.kind === 'make') return closing(host, await makeHostIdentity(command, host))
  if (goal.kind === 'rotate') return closing(host, await rotateHostIdentity(command, host, goal.what))
  const key = recognised(host, goal, await command.keyscan(goal.address))
  return closing(host, await adoptHostIdentity(command, host, key))
}

/** Whoever answers at an address may be anybody: only the key that the owner has read on the console is taken. */
function recognised(host: string, goal: InitGoal & { kind: 'adopt' }, shown: readonly string[]): string {
  const key = shown.find((line) => fingerprintOf(line) === goal.fingerprint)
  if (key !== undefined) return key
  const found = shown.map(fingerprintOf).join(', ') || 'none'
  throw new UserError(
    'key',
    `the machine at ${goal.address} is not the one whose console was read: its key is ${found}, wanted ${goal.fingerprint}`,
    { hint: `compare with the console of ${host} once more; if it differs, somebody else answers at that address` },
  )
}

const SAID: Readonly<Record<IdentityOutcome['kind'], string>> = {
  made: 'identity made',
  there: 'has its identity already; nothing was changed',
  finished: 'identity was made before, and is published now',
  rotated: 'has a new key, and keeps the old ones',
  adopted: 'keeps the identity that it made itself',
}

function closing(host: string, { kind, identity }: IdentityOutcome): string {
  const [newest = ''] = identity.ssh
  const files =
    kind === 'adopted' ? publicIdentityFile(host) : `${publicIdentityFile(host)} ${privateIdentityFile(host)}`
  return [
    `${host}: ${SAID[kind]}`,
    `  ssh  ${fingerprintOf(newest)}`,
    ...identity.age.slice(0, 1).map((recipient) => `  age  ${recipient}`),
    ...(kind === 'there' ? [] : [`keep it with the project: git add ${files}`]),
    kind === 'rotated'
      ? `next: npm run flash ${host}, which brings it the key: without a restart, if nothing else has changed`
      : `next: npm run build:image ${host}`,
  ].join('\n')
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint })
}
