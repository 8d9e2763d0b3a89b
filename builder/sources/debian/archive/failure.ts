import { UserError } from '../../../../errors.ts'
import type { TransferError } from '../../../../lib/http.ts'
import { GoneError } from '../../source.ts'
import type { Wanted } from './suites.ts'

/** The reason why one server did not provide one file. */
export interface Refusal {
  readonly server: 'mirror' | 'last-resort'
  readonly url: string
  readonly kind: TransferError['kind'] | 'mismatch'
  readonly reason: string
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
      : 'check the network, or use another mirror: HANGAR_DEBIAN_MIRROR=URL; files that arrived are kept',
  })
}

/**
 * Whether a file is gone: every mirror that answered lacks it. Mirrors without an answer are ignored; any other failure
 * means that the file may still exist.
 */
function isGone(refusals: readonly Refusal[]): boolean {
  const answers = refusals.filter(
    ({ server, kind }) => server === 'mirror' && kind !== 'unreachable' && kind !== 'slow',
  )
  return answers.length > 0 && answers.every(({ kind }) => kind === 'absent')
}

function describe(unfetched: readonly Unfetched[]): string {
  const [first] = unfetched
  if (first === undefined) throw new Error('no failure to describe')
  const tried = first.refusals.map(({ url, reason }) => `\n  ${redacted(url)}: ${reason}`).join('')
  const more = unfetched.length > 1 ? `\nand ${unfetched.length - 1} more files` : ''
  return `cannot fetch '${first.wanted.path}' of '${first.wanted.archive}':${tried}${more}`
}

/** A URL without its password, for messages. */
export function redacted(url: string): string {
  const parsed = new URL(url)
  if (parsed.password !== '') parsed.password = '***'
  return parsed.toString()
}
