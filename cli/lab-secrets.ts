import type { LabNeeds, LabSecret } from '../builder/secrets/lab-secrets.ts'
import { UserError } from '../errors.ts'
import type { CommandContext } from './command.ts'

export interface LabSecrets {
  readonly needs: LabNeeds
  readonly secrets: readonly LabSecret[]
}

/** The secrets that the services of all valid host files need. */
export async function labSecrets(context: CommandContext): Promise<LabSecrets> {
  const { planLab } = await import('./build-hosts.ts')
  const { secretsOfLab } = await import('../builder/secrets/lab-secrets.ts')
  const { needs } = await planLab(context, [], { outcome: '', hint: '' })
  return { needs, secrets: secretsOfLab(needs) }
}

/** The secret that a user typed. */
export async function secretNamed({ needs, secrets }: LabSecrets, typed: string): Promise<LabSecret> {
  const { nearest } = await import('../images/nearest.ts')
  const { quoted } = await import('../images/quoted.ts')
  const found = secrets.find(({ name }) => name === typed)
  if (found?.value.kind === 'issued') throw isOfCertificate(found)
  if (found !== undefined) return found
  const names = secrets.map(({ name }) => name)
  const meant = nearest(typed, names)
  const known = names.length === 0 ? 'no service of the lab needs one' : `the lab has: ${names.join(', ')}`
  const invalid = needs.unknown.length === 0 ? '' : `; these host files have errors: ${needs.unknown.join(', ')}`
  throw new UserError('secret', `no secret ${quoted(typed)}; ${known}${invalid}`, {
    hint: meant === undefined ? 'list the secrets of the lab: npm run secrets' : `did you mean '${meant}'?`,
  })
}

function isOfCertificate({ name }: LabSecret): UserError {
  return new UserError('secret', `'${name}' is the private key of a certificate, which hangar makes itself`, {
    hint: `to replace the key and the certificate: npm run certs rotate ${name.replace(/^certificate-/, '')}`,
  })
}
