import { UserError } from '../../../../errors.ts'
import type { TransferError } from '../../../../lib/http.ts'
import { GoneError } from '../../source.ts'
import type { Wanted } from './suites.ts'

/** The reason why one server did not provide one file. */
export interface Refusal {
  readonly server: 'mirror' | 'last-resort'
  readonly url: string
  readonly kind: RefusalKind
  readonly reason: string
}

/**
 * `absent`: the server has the whole archive, but not this file. `partial`: the server does not have the whole archive, so a
 * missing file means nothing. `foreign`: the server is no mirror of Debian. `mismatch`: it sent wrong bytes. `unsigned`: it
 * sent a release that no known key signed. `outdated`: it sent a signed release that is expired, too old or of another suite.
 */
export type RefusalKind = TransferError['kind'] | 'partial' | 'foreign' | 'mismatch' | 'unsigned' | 'outdated'

export type Reason = Pick<Refusal, 'kind' | 'reason'>

export function reasonOf({ kind, message }: TransferError): Reason {
  return { kind, reason: message }
}

export interface Unfetched {
  readonly wanted: Wanted
  readonly refusals: readonly Refusal[]
}

/**
 * The error for all files that no server could provide. It is a GoneError if every file is gone and nothing else
 * failed.
 */
export function fetchFailure(unfetched: readonly Unfetched[]): UserError {
  const other = unfetched.find(({ refusals }) => !isGone(refusals))
  if (other === undefined)
    return new GoneError(
      describe(unfetched),
      unfetched.map(({ wanted }) => wanted),
    )
  const others = unfetched.filter((each) => each !== other)
  const wrong = other.refusals.some(({ kind }) => kind === 'mismatch')
  return new UserError(wrong ? 'digest' : 'fetch', describe([other, ...others]), {
    hint: wrong
      ? 'hangar kept no byte of the file; use another mirror: HANGAR_DEBIAN_MIRROR=URL'
      : `${hintFor(other.refusals)}; files that arrived are kept`,
  })
}

/** What to do when no server provided a file, for reasons that are no attack. */
export function hintFor(refusals: readonly Refusal[]): string {
  const isPage = refusals.some(({ kind, reason }) => kind === 'foreign' && reason.includes('a web page'))
  return isPage
    ? 'a page of this network, such as a login, may answer for the servers: open any site in a browser; or use another mirror: HANGAR_DEBIAN_MIRROR=URL'
    : 'check the network, or use another mirror: HANGAR_DEBIAN_MIRROR=URL'
}

/**
 * Whether a file is gone: a mirror of the whole archive lacks it. A server that does not answer, or that is no such mirror,
 * tells nothing. Wrong bytes are reported first, because they may be an attack.
 */
function isGone(refusals: readonly Refusal[]): boolean {
  const kinds = refusals.filter(({ server }) => server === 'mirror').map(({ kind }) => kind)
  return kinds.includes('absent') && !kinds.includes('mismatch')
}

function describe(unfetched: readonly Unfetched[]): string {
  const [first] = unfetched
  if (first === undefined) throw new Error('no failure to describe')
  const more = unfetched.length > 1 ? `\nand ${unfetched.length - 1} more files` : ''
  return `cannot fetch '${first.wanted.path}' of '${first.wanted.archive}':${refusalsText(first.refusals)}${more}`
}

/** One line for each refusal, each after a line break. */
export function refusalsText(refusals: readonly Refusal[]): string {
  return refusals.map(({ url, reason }) => `\n  ${redacted(url)}: ${reason}`).join('')
}

/** A URL without its password, for messages. */
export function redacted(url: string): string {
  const parsed = new URL(url)
  if (parsed.password !== '') parsed.password = '***'
  return parsed.toString()
}
