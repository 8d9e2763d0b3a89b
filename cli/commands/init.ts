import type { InitGoal } from '../../builder/keys/init-host.ts'
import { UserError } from '../../errors.ts'
import type { Command, CommandContext } from '../command.ts'
import { AT } from '../options.ts'

export interface InitFlags {
  readonly rotate?: string
  readonly adopt?: string
  /** The address that the user typed: `ADDRESS[:PORT]`. */
  readonly at?: string
}

export const init: Command<InitFlags> = {
  name: 'init',
  group: 'update',
  arguments: '<host>',
  summary: 'create the identity of a host, before its first build',
  details: [
    'Writes the public keys of the host to hosts/HOST.identity.json, and its private keys, encrypted to your age',
    'key, to hosts/HOST.identity.age. Commit both files. An existing identity stays unchanged.',
  ],
  options: [
    { flags: '--rotate <key>', about: "add a new key, 'ssh' or 'age'; the old keys stay valid" },
    { flags: '--adopt <fingerprint>', about: 'adopt the SSH key that the host created; its console shows SHA256:…' },
    { ...AT, about: `${AT.about}; needs --adopt` },
  ],
  examples: [
    { about: 'create the identity of adama', line: 'npm run init adama' },
    { about: 'add a new SSH host key', line: 'npm run init adama -- --rotate ssh' },
  ],
  async run(context, [name = ''], flags) {
    const { initHost } = await import('../../builder/keys/init-host.ts')
    const { initText } = await import('../text/init.ts')
    const host = await context.hosts.load(name)
    const { addresses, jump } = host.network
    const goal = initGoal(flags, addresses[0].address)
    const keyscan = (address: string) => scanKeys(context, { host: name, address, jump })
    return initText(host.name, await initHost({ ...context, host: host.name, goal, keyscan }))
  },
}

interface Scan {
  readonly host: string
  readonly address: string
  readonly jump: string | undefined
}

async function scanKeys(context: CommandContext, { host, address, jump }: Scan): Promise<string[]> {
  const { keyscan } = await import('../../flash/ssh/keyscan.ts')
  const { parseAddress } = await import('../../flash/ssh/address.ts')
  const { unpackPrograms } = await import('../programs.ts')
  const { CONTROL } = await import('../../images/sets.ts')
  const at = parseAddress(address)
  return keyscan({ programs: await unpackPrograms(context, CONTROL), host, at, jump, signal: context.signal })
}

/** Combines the flags, and refuses contradictions. `address` comes from the host file. */
export function initGoal({ rotate, adopt, at }: InitFlags, address: string): InitGoal {
  if (rotate !== undefined && adopt !== undefined)
    throw usage("cannot combine '--rotate' with '--adopt'", 'use only one of the two flags')
  if (at !== undefined && adopt === undefined)
    throw usage("'--at' needs '--adopt'", "leave '--at' out: hangar creates identities without the network")
  if (rotate !== undefined) {
    if (rotate === 'ssh' || rotate === 'age') return { kind: 'rotate', what: rotate }
    throw usage(`cannot rotate '${rotate}': wanted 'ssh' or 'age'`, '--rotate ssh, or --rotate age')
  }
  if (adopt === undefined) return { kind: 'make' }
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(adopt)) return { kind: 'adopt', fingerprint: adopt, address: at ?? address }
  throw usage(`not a fingerprint: '${adopt}'`, "copy it from the host's console: 'SHA256:' and 43 characters")
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint })
}
