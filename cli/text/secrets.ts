import type { ChangedSecret } from '../../builder/secrets/change.ts'
import type { LabSecret } from '../../builder/secrets/lab-secrets.ts'
import type { ListedSecret, SecretList } from '../../builder/secrets/list.ts'
import { secretFile } from '../../images/secrets/secret-name.ts'
import { SECRET_RECORDS } from '../../images/secrets/secret-records.ts'
import { formatTable } from '../display/table.ts'

/** A table of the secrets, and the commands that help. */
export function secretsText({ secrets, unused }: SecretList): string {
  if (secrets.length === 0 && unused.length === 0) return 'no service of the lab needs a secret'
  const head = ['secret', 'kind', 'used by', 'hosts', 'made', 'encrypted for', 'state']
  const rows = [...secrets.map(rowOf), ...unused.map((name) => [name, '', '', '', '', '', 'unused by every service'])]
  return [formatTable([head, ...rows]), ...adviceOf(secrets).map((line) => `\n${line}`)].join('\n')
}

function rowOf({ secret, state, made, recipients, without }: ListedSecret): string[] {
  const { name, value, service, hosts } = secret
  return [
    ...[name, value.kind, service, hosts.join(' '), made?.slice(0, 10) ?? '', recipients.join(' ')],
    stateText(state, without),
  ]
}

function stateText(state: ListedSecret['state'], without: readonly string[]): string {
  if (state.kind === 'missing') return 'missing'
  const lacking =
    state.kind === 'stale' ? state.reasons.flatMap((each) => (each.kind === 'lacks' ? [each.host] : [])) : []
  const hosts = [...new Set([...lacking, ...without])].sort()
  if (hosts.length > 0) return `not encrypted for ${hosts.join(', ')}`
  return state.kind === 'ok' ? 'ok' : 'to be encrypted again'
}

function adviceOf(secrets: readonly ListedSecret[]): string[] {
  const missing = secrets.filter(({ state }) => state.kind === 'missing').map(({ secret }) => secret)
  const without = [...new Set(secrets.flatMap((each) => each.without))].sort()
  return [
    ...missingLines(missing),
    ...without.map((host) => `${host} has no age key in the project: npm run init ${host}`),
    ...(secrets.some(({ state }) => state.kind === 'stale')
      ? ["to encrypt secrets again, run this command on the machine with the owner's age key"]
      : []),
  ]
}

function missingLines(missing: readonly LabSecret[]): string[] {
  const issued = missing.some(({ value }) => value.kind === 'issued')
  const random = missing.some(({ value }) => value.kind === 'random')
  const given = missing.filter(({ value }) => value.kind === 'given')
  return [
    ...(issued ? ['to issue the certificates that are missing, with their private keys: npm run certs issue'] : []),
    ...(random ? ['to generate the random secrets that are missing: npm run secrets generate'] : []),
    ...given.map(({ name, about }) => `to set '${name}' (${about}): npm run secrets set ${name}`),
  ]
}

/** The result of a new value: who can decrypt it, the files to commit, and the next command. */
export function changedText({ secret, hosts, without }: ChangedSecret): string {
  const file = secretFile(secret.name)
  return [
    `stored ${file}, encrypted to ${[...hosts, 'you'].join(', ')}`,
    ...without.map((host) => `not encrypted to ${host} yet, which has no age key in the project: npm run init ${host}`),
    `add to the repository: git add ${file} ${SECRET_RECORDS}`,
    ...(hosts.length === 0 ? [] : [`next: npm run flash ${hosts.join(' ')}`]),
  ].join('\n')
}

/** The result of `secrets generate`. Each new secret has had a notice. */
export function generatedText(made: readonly LabSecret[], missing: readonly LabSecret[]): string {
  const count = made.length === 1 ? '1 secret' : `${made.length} secrets`
  return [made.length === 0 ? 'no random secret is missing' : `generated ${count}`, ...missingLines(missing)].join('\n')
}
