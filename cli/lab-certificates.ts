import type { CertificateHost } from '../builder/certificates/ensure.ts'
import { UserError } from '../errors.ts'
import type { CertificateNeed } from '../images/certificates/need.ts'
import type { CommandContext } from './command.ts'

const FAILED = {
  outcome: 'hangar changed no certificate',
  hint: 'correct these hosts: certificates depend on all hosts',
}

/** What every host of the lab needs from the CA. Throws for an invalid host file: its certificates are unknown. */
export async function labCertificates(context: CommandContext): Promise<CertificateHost[]> {
  const { plansFor } = await import('./build-hosts.ts')
  return plansFor(context, context.hosts.names(), FAILED)
}

export function needsIn(hosts: readonly CertificateHost[]): CertificateNeed[] {
  return hosts.flatMap(({ certificates }) => certificates.needs)
}

/** The certificate that a user typed: `adama-mosquitto`. */
export async function certificateNamed(hosts: readonly CertificateHost[], typed: string): Promise<CertificateNeed> {
  const { certificateName } = await import('../images/certificates/need.ts')
  const { nearest } = await import('../images/nearest.ts')
  const { quoted } = await import('../images/quoted.ts')
  const needs = needsIn(hosts)
  const found = needs.find((need) => certificateName(need) === typed)
  if (found !== undefined) return found
  const names = needs.map(certificateName)
  const meant = nearest(typed, names)
  const known = names.length === 0 ? 'no service of the lab needs one' : `the lab has: ${names.join(', ')}`
  throw new UserError('certificate', `no certificate ${quoted(typed)}; ${known}`, {
    hint: meant === undefined ? 'list the certificates of the lab: npm run certs' : `did you mean '${meant}'?`,
  })
}
