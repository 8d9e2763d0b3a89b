import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { privateIdentityFile } from '../../images/identity/private-identity.ts'
import { publicIdentityFile } from '../../images/identity/public-identity.ts'
import { SECRETS_DIRECTORY, secretFile } from '../../images/secrets/secret-name.ts'
import { type IdentityContext, makeHostIdentity, readPublicIdentity } from '../keys/host-identity.ts'
import { hasOwnerAgeKey } from '../keys/owner-age-key.ts'
import { generateMissing, reencryptStale, stalenessText } from './generate.ts'
import { type LabNeeds, type LabSecret, secretsOfLab } from './lab-secrets.ts'
import { hostRecipients } from './recipients.ts'
import { secretState } from './state.ts'

/** Ciphertexts by the secret's name. */
export type Ciphertexts = Readonly<Record<string, string>>

export interface SecretRequest {
  readonly needs: LabNeeds
  /** The hosts to build. */
  readonly hosts: readonly string[]
  /** `new`: the first build of a lab makes the identities and the random secrets. */
  readonly lab: 'new' | 'known'
}

/** Whether a lab has neither secrets nor certificates yet. */
export function labAge(project: string): SecretRequest['lab'] {
  const isEmpty = (directory: string) =>
    !existsSync(join(project, directory)) || readdirSync(join(project, directory)).length === 0
  return [SECRETS_DIRECTORY, 'hosts/certificates'].every(isEmpty) ? 'new' : 'known'
}

/**
 * The ciphertexts of the hosts to build. Encrypts them again if identities have changed. Throws one error for all secrets
 * that are missing: with a new value, hangar would lock out every device that knows the former one.
 */
export async function ensureSecrets(context: IdentityContext, request: SecretRequest): Promise<Ciphertexts> {
  const { needs, hosts, lab } = request
  const wanted = secretsOfLab(needs).filter((secret) => secret.hosts.some((host) => hosts.includes(host)))
  if (wanted.length === 0) return {}
  if (lab === 'new' && !isCi(context)) await makeFirst(context, request, wanted)
  refuseMissing(context, wanted, needs)
  for (const { name, hosts: all } of wanted)
    hostRecipients(
      context.project,
      name,
      all.filter((host) => hosts.includes(host)),
    )
  await refresh(context, wanted, needs)
  return Object.fromEntries(wanted.map((secret) => [secret.name, ciphertextOf(context, secret, needs)]))
}

function isCi({ env }: IdentityContext): boolean {
  return env.CI === 'true'
}

async function makeFirst(context: IdentityContext, { needs, hosts }: SecretRequest, wanted: readonly LabSecret[]) {
  const needsKey = (host: string) => wanted.some((secret) => secret.hosts.includes(host))
  await makeFirstIdentities(context, hosts.filter(needsKey))
  await generateMissing(context, wanted, needs)
}

/** Makes the identities of the hosts of a new lab that have none, but not when CI=true. */
export async function makeFirstIdentities(context: IdentityContext, hosts: readonly string[]): Promise<void> {
  if (isCi(context)) return
  for (const host of hosts) {
    if (readPublicIdentity(context.project, host) !== undefined) continue
    await makeHostIdentity(context, host)
    const files = [publicIdentityFile(host), privateIdentityFile(host)].join(' and ')
    context.reporter.notice(`made the identity of ${host}: add ${files} to the repository`)
  }
}

function refuseMissing({ project, env }: IdentityContext, wanted: readonly LabSecret[], needs: LabNeeds): void {
  const missing = wanted.filter((secret) => secretState(project, secret, needs).kind === 'missing')
  if (missing.length === 0) return
  const random = missing.filter(({ value }) => value.kind === 'random')
  const given = missing.filter(({ value }) => value.kind === 'given')
  const issued = missing.filter(({ value }) => value.kind === 'issued')
  const commands = [
    ...(issued.length > 0 ? ['npm run certs issue'] : []),
    ...(random.length > 0 ? ['npm run secrets generate'] : []),
    ...given.map(({ name }) => `npm run secrets set ${name}`),
  ]
  const where =
    env.CI === 'true'
      ? 'on your own machine, and commit the new files'
      : 'git pull, if another checkout has them. Otherwise'
  throw new UserError(
    'secret',
    [
      `${missing.length} ${missing.length === 1 ? 'secret is' : 'secrets are'} missing:`,
      ...issued.map((secret) => missingLine(secret, 'hangar makes it with the certificate')),
      ...random.map((secret) => missingLine(secret, 'hangar can generate it')),
      ...given.map((secret) => missingLine(secret, 'only you know it')),
    ].join('\n'),
    { hint: `${where}: ${commands.join(' && ')}` },
  )
}

function missingLine({ name, about, hosts }: LabSecret, how: string): string {
  return `  ${name} for ${hosts.join(', ')}: ${about}; ${how}`
}

/** Encrypts stale secrets again, which only the owner can do. */
async function refresh(context: IdentityContext, wanted: readonly LabSecret[], needs: LabNeeds): Promise<void> {
  const stale = wanted.filter((secret) => secretState(context.project, secret, needs).kind === 'stale')
  if (stale.length === 0) return
  if (isCi(context) || !hasOwnerAgeKey(context.env)) throw staleError(context, stale, needs)
  await reencryptStale(context, stale, needs)
}

function staleError({ project }: IdentityContext, stale: readonly LabSecret[], needs: LabNeeds): UserError {
  const lines = stale.map((secret) => {
    const state = secretState(project, secret, needs)
    const reasons = state.kind === 'stale' ? state.reasons.map(stalenessText) : []
    return `  ${secretFile(secret.name)} ${reasons.join(', and ')}`
  })
  return new UserError('secret', ['secrets have to be encrypted again:', ...lines].join('\n'), {
    hint: "on the machine with the owner's age key: npm run secrets, and commit the changed files",
  })
}

function ciphertextOf({ project }: IdentityContext, secret: LabSecret, needs: LabNeeds): string {
  const state = secretState(project, secret, needs)
  if (state.kind === 'ok') return state.ciphertext
  throw new UserError('busy', `'${secretFile(secret.name)}' changed while hangar read it`, {
    hint: 'run the same command again',
  })
}
