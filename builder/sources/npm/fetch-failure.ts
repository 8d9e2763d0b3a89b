import { UserError } from '../../../errors.ts'
import type { TransferError } from '../../../lib/http.ts'
import { GoneError } from '../source.ts'
import { LOGIN_HINT, NETWORK_HINT, withoutLogins } from './messages.ts'
import type { WantedTarball } from './wanted-tarball.ts'

/** The reason why a registry did not provide a tarball. */
export interface Refusal {
  readonly url: string
  readonly kind: TransferError['kind'] | 'mismatch' | 'other-content'
  readonly status?: number | undefined
  readonly reason: string
}

export interface Refused {
  readonly wanted: WantedTarball
  readonly refusal: Refusal
}

/** The error for all tarballs that no registry provided. It is a GoneError if each of them is gone. */
export function fetchFailure(refused: readonly Refused[]): UserError {
  const other = refused.find(({ refusal }) => refusal.kind !== 'absent')
  if (other === undefined) {
    const gone = refused.map(({ wanted: { path, sha256 } }) => {
      return { source: 'npm', path, ...(sha256 === undefined ? {} : { sha256 }) }
    })
    return new GoneError(describe(refused), gone)
  }
  const { kind, status } = other.refusal
  const others = refused.filter((each) => each !== other)
  const hint = hintFor(kind, status)
  return new UserError(kind === 'mismatch' ? 'digest' : 'fetch', describe([other, ...others]), { hint })
}

function hintFor(kind: Refusal['kind'], status: number | undefined): string {
  if (kind === 'mismatch')
    return 'hangar kept no byte of the file; compare with the package in another registry, and do not use this version until you know why it differs'
  if (status === 401 || status === 403) return LOGIN_HINT
  if (kind === 'other-content')
    return "check npm's setting of the registry (npm config get registry), and whether a proxy wants a login"
  return `${NETWORK_HINT}; packages that arrived are kept`
}

function describe(refused: readonly Refused[]): string {
  const [first] = refused
  if (first === undefined) throw new Error('no failure to describe')
  const { wanted, refusal } = first
  const more = refused.length > 1 ? `\nand ${refused.length - 1} more packages` : ''
  const what = `'${wanted.package}@${wanted.version}'`
  return `cannot fetch ${what} from the npm registry:\n  ${withoutLogins(refusal.url)}: ${refusal.reason}${more}`
}
