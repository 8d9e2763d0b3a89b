import { UserError } from '../errors.ts'
import { ipAddress } from './ip-address.ts'
import { quoted } from './quoted.ts'

/** The value of `network.jump`: `none`, or jump hosts `[USER@]HOST[:PORT]` separated by commas, in the order of the way. */
export type JumpHosts = string & { readonly __brand: 'JumpHosts' }

export interface JumpHost {
  readonly user: string | undefined
  /** A name or an address, without the brackets of IPv6. */
  readonly machine: string
  readonly port: string | undefined
}

/** ssh reads the hosts as words of its command line, so their grammar is narrow. */
const HOST =
  /^(?:([A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?:\[([0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)\]|([A-Za-z0-9][A-Za-z0-9_.-]*))(?::(\d{1,5}))?$/

/** Parses `network.jump`. Throws UserError for the first part that is not a jump host. */
export function parseJumpHosts(text: string): JumpHosts {
  const wrong = text === 'none' ? undefined : text.split(',').find((part) => jumpHost(part) === undefined)
  if (wrong === undefined) return text as JumpHosts
  throw new UserError('host', `${quoted(wrong)} is not a jump host, wanted [USER@]HOST[:PORT]`, {
    hint: "for example: jump: 'me@bastion.example.org:2222', 'me@[fd00::1]', or jump: 'none'",
  })
}

/** The parts of `[USER@]HOST[:PORT]`; undefined for any other text. */
export function jumpHost(text: string): JumpHost | undefined {
  const [, user, bracketed, plain, port] = HOST.exec(text) ?? []
  const machine = bracketed === undefined ? plain : ipAddress(bracketed)
  const number = Number(port ?? 22)
  return machine === undefined || number < 1 || number > 65535 ? undefined : { user, machine, port }
}
