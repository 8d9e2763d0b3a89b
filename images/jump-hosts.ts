import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

/** The value of `network.jump`: `none`, or jump hosts `[USER@]HOST[:PORT]` separated by commas, the first one first. */
export type JumpHosts = string & { readonly __brand: 'JumpHosts' }

const HOP = /^([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:\d{1,5})?$/

/** Parses `network.jump`. ssh reads the hosts as words of its command line, so their grammar is narrow. */
export function parseJumpHosts(text: string): JumpHosts {
  const hops = text === 'none' ? [] : text.split(',')
  const wrong = hops.find((hop) => !HOP.test(hop) || Number(/:(\d+)$/.exec(hop)?.[1] ?? 22) > 65535)
  if (wrong === undefined) return text as JumpHosts
  throw new UserError('host', `${quoted(wrong)} is not a jump host, wanted [USER@]HOST[:PORT]`, {
    hint: "for example: jump: 'me@bastion.example.org:2222', or jump: 'none'",
  })
}
