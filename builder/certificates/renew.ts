import { UserError } from '../../errors.ts'
import { CA_SECRET, type CertificateNeed, certificateName } from '../../images/certificates/need.ts'
import { authorityKeys } from './authority.ts'
import type { Certificate } from './certificate.ts'
import { type CertificateContext, canDecrypt, mayIssue, OWN_MACHINE } from './context.ts'
import { certificateFor, type Issuer, issue, keyStateOf } from './leaf.ts'
import { dayOf } from './lifetime.ts'
import { requireKey } from './rotate-authority.ts'
import { type CertificateState, stateOf } from './state.ts'

/** A certificate of the project, compared with what its host needs. */
export interface Examined {
  readonly need: CertificateNeed
  readonly found: Certificate | undefined
  readonly state: CertificateState
}

/**
 * The certificates by name. Issues those that are missing or unusable, and renews those that are due. The caller holds the
 * lock of the certificates.
 */
export async function renewAll(
  context: CertificateContext,
  known: readonly Certificate[],
  needs: readonly CertificateNeed[],
): Promise<Map<string, Certificate>> {
  const examined: Examined[] = []
  for (const need of needs) examined.push(await examine(context, known, need))
  refuseUnusable(context, examined)
  const issuer = lazyIssuer(context, known)
  const certificates = new Map<string, Certificate>()
  for (const each of examined) certificates.set(certificateName(each.need), await renew(context, issuer, each))
  return certificates
}

export async function examine(
  context: CertificateContext,
  known: readonly Certificate[],
  need: CertificateNeed,
): Promise<Examined> {
  const found = certificateFor(context.project, need)
  const key = await keyStateOf(context, need, found)
  return { need, found, state: stateOf(need, found, { authorities: known, key, now: context.now }) }
}

function refuseUnusable(context: CertificateContext, examined: readonly Examined[]): void {
  if (mayIssue(context)) return
  const unusable = examined.flatMap(({ need, state }) =>
    state.kind === 'unusable' ? [`\n  ${certificateName(need)}: ${state.reason}`] : [],
  )
  if (unusable.length === 0) return
  throw new UserError(
    'certificate',
    `hangar issues no certificates when CI=true, and these are unusable:${unusable.join('')}`,
    { hint: OWN_MACHINE },
  )
}

async function renew(
  context: CertificateContext,
  issuer: () => Promise<Issuer>,
  { need, found, state }: Examined,
): Promise<Certificate> {
  const { reporter } = context
  const name = certificateName(need)
  if (found !== undefined && state.kind === 'valid') return found
  if (found !== undefined && state.kind === 'due' && !(mayIssue(context) && (await canDecrypt(context, CA_SECRET)))) {
    reporter.warn(
      `certificate ${name}: ${state.reason}; renew it on the machine with the owner's keys: npm run certs issue`,
    )
    return found
  }
  const certificate = await issue(context, await issuer(), need, { key: 'same' })
  const why = found === undefined || state.kind === 'valid' ? '' : ` again, because ${state.reason}`
  reporter.notice(`issued certificate ${name}${why}; it is valid until ${dayOf(certificate.until)}`)
  return certificate
}

/** Opens the key of the CA at first use, because most builds issue nothing. */
export function lazyIssuer(context: CertificateContext, [authority]: readonly Certificate[]): () => Promise<Issuer> {
  let opened: Promise<Issuer> | undefined
  const open = async () => {
    if (authority === undefined) throw new Error('the lab has no CA')
    return { authority, certificate: authority.pem, key: requireKey(authority, await authorityKeys(context)) }
  }
  return () => {
    opened ??= open()
    return opened
  }
}
