import { UserError } from '../../errors.ts'
import { CA_FILE } from '../../images/certificates/need.ts'
import { authorities, authorityKeys, keepAuthorities, newAuthority } from './authority.ts'
import { type Certificate, isKeyOf } from './certificate.ts'
import { type CertificateContext, refuseInCi } from './context.ts'
import { isExpired } from './lifetime.ts'
import { withCertificatesLock } from './lock.ts'

/**
 * A change of the CA. A rotation has three steps, with an update of all hosts after each: `add` a second CA that hosts
 * trust, `switch` the issuer to the new CA, `remove` the old CA. `make` and `replace` are changes at once.
 */
export type AuthorityStep = 'make' | 'add' | 'switch' | 'remove' | 'replace'

/** The step that comes next. An expired CA needs no overlap, because no host accepts its certificates any more. */
export function nextStep(known: readonly Certificate[], now: Date): AuthorityStep {
  const [issuing, other] = known
  if (issuing === undefined) return 'make'
  if (isExpired(issuing, now) && other === undefined) return 'replace'
  if (other === undefined) return 'add'
  return issuing.from < other.from ? 'switch' : 'remove'
}

/** Takes the next step of a rotation, or replaces the CA at once. */
export function rotateAuthority(context: CertificateContext, goal: 'rotate' | 'replace'): Promise<AuthorityStep> {
  refuseInCi(context, 'a CA')
  return withCertificatesLock(context, async () => {
    const known = authorities(context.project)
    const next = nextStep(known, context.now)
    const step = goal === 'replace' && next !== 'make' ? 'replace' : next
    await takeStep(context, known, step)
    return step
  })
}

/** The caller holds the lock of the certificates. */
export async function takeStep(
  context: CertificateContext,
  known: readonly Certificate[],
  step: AuthorityStep,
): Promise<readonly Certificate[]> {
  const keys = await authorityKeys(context)
  const after = await certificatesAfter(context, { known, keys }, step)
  await keepAuthorities(context, after.certificates, { known: keys, ...after })
  return after.certificates
}

interface Known {
  readonly known: readonly Certificate[]
  readonly keys: readonly string[]
}

async function certificatesAfter(context: CertificateContext, { known, keys }: Known, step: AuthorityStep) {
  const [issuing, other] = known
  if (step === 'remove' && issuing !== undefined) return { certificates: [issuing] }
  if (step === 'switch' && issuing !== undefined && other !== undefined) {
    requireKey(other, keys)
    return { certificates: [other, issuing] }
  }
  const { certificate, key } = await newAuthority(context, { known, keys })
  return { certificates: step === 'add' ? [...known, certificate] : [certificate], made: key }
}

/** A CA without its key cannot issue certificates. */
export function requireKey(authority: Certificate, keys: readonly string[]): string {
  const key = keys.find((each) => isKeyOf(each, authority))
  if (key !== undefined) return key
  throw new UserError(
    'certificate',
    `cannot issue certificates: the project has no private key of '${authority.subject}', the CA in '${CA_FILE}'`,
    {
      hint: 'git pull, if another checkout has the key in hosts/secrets/ca.age; if the key is lost, see docs/certificates.md',
    },
  )
}
