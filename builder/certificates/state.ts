import type { CertificateNames, CertificateNeed } from '../../images/certificates/need.ts'
import { type Certificate, isIssuedBy } from './certificate.ts'
import { dayOf, isDue, isEarly, isExpired } from './lifetime.ts'

/** `due`: hosts accept the certificate, and the next build replaces it. `unusable`: no host can use it. */
export type CertificateState =
  | { readonly kind: 'valid' }
  | { readonly kind: 'due'; readonly reason: string }
  | { readonly kind: 'unusable'; readonly reason: string }

/** `unknown`: the owner's key is not on this machine, so hangar cannot compare. */
export type KeyState = 'matches' | 'differs' | 'missing' | 'unknown'

export interface Compared {
  /** The certificates of the CA. The first one issues certificates; hosts trust all of them. */
  readonly authorities: readonly Certificate[]
  readonly key: KeyState
  readonly now: Date
}

/** Compares a certificate of the project with what the host needs now. */
export function stateOf(need: CertificateNeed, found: Certificate | undefined, compared: Compared): CertificateState {
  const reason = found === undefined ? 'it is missing' : wrongIn(need, found, compared)
  if (reason !== undefined || found === undefined) return { kind: 'unusable', reason: reason ?? '' }
  const [issuing] = compared.authorities
  if (issuing !== undefined && !isIssuedBy(found, issuing))
    return { kind: 'due', reason: 'the CA that issued it is replaced' }
  if (isDue(found, compared.now)) return { kind: 'due', reason: `it expires on ${dayOf(found.until)}` }
  return { kind: 'valid' }
}

function wrongIn(need: CertificateNeed, found: Certificate, { authorities, key, now }: Compared): string | undefined {
  if (!authorities.some((each) => isIssuedBy(found, each))) return 'another CA issued it'
  if (isExpired(found, now)) return `it expired on ${dayOf(found.until)}`
  if (isEarly(found, now)) return `it is valid from ${dayOf(found.from)}, and today is ${dayOf(now)}`
  if (found.subject !== need.subject) return `its subject is '${found.subject}'`
  if (found.usages.join() !== need.usages.join()) return 'its usages changed'
  if (namesText(found.names) !== namesText(need.names)) return 'its names changed'
  if (key === 'missing') return 'its private key is missing'
  return key === 'differs' ? 'it does not belong to its private key' : undefined
}

function namesText({ dns, addresses }: CertificateNames): string {
  return [...dns, ...addresses].join()
}
