import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../images/digest.ts'
import { type SecretName, secretFile } from '../../images/secrets/secret-name.ts'
import type { SecretRecord } from '../../images/secrets/secret-records.ts'
import { readPublicIdentity } from '../keys/host-identity.ts'
import type { LabNeeds, LabSecret } from './lab-secrets.ts'
import { secretRecords } from './records.ts'

/** Why a ciphertext has to be made again, from the same value. */
export type Staleness =
  /** An interrupted run wrote the file and no record, or git merged another file than record. */
  { readonly kind: 'unrecorded' } | { readonly kind: 'lacks' | 'has-former'; readonly host: string }

export type SecretState =
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale'; readonly reasons: readonly Staleness[] }
  | { readonly kind: 'ok'; readonly ciphertext: string }

/** Compares the ciphertext of a secret and its record with the present identities of the hosts that need the secret. */
export function secretState(project: string, secret: LabSecret, { unknown }: Pick<LabNeeds, 'unknown'>): SecretState {
  const ciphertext = readCiphertext(project, secret.name)
  if (ciphertext === undefined) return { kind: 'missing' }
  const record = secretRecords(project)[secret.name]
  if (record === undefined || record.sha256 !== digestOf(ciphertext))
    return { kind: 'stale', reasons: [{ kind: 'unrecorded' }] }
  const reasons = staleRecipients(project, record, recipientHosts(project, secret, record, unknown))
  return reasons.length === 0 ? { kind: 'ok', ciphertext } : { kind: 'stale', reasons }
}

/**
 * The hosts to encrypt a secret to: those that need it and have an age key in the project, and those with an invalid host
 * file that can decrypt it now.
 */
export function recipientHosts(
  project: string,
  { hosts }: Pick<LabSecret, 'hosts'>,
  record: SecretRecord | undefined,
  unknown: readonly string[],
): string[] {
  const kept = unknown.filter((host) => record !== undefined && Object.hasOwn(record.hosts, host))
  return [...new Set([...hosts, ...kept])].filter((host) => ageKeys(project, host).length > 0).sort()
}

/** The hosts that need a secret and have no age key in the project. */
export function hostsWithoutKey(project: string, { hosts }: Pick<LabSecret, 'hosts'>): string[] {
  return hosts.filter((host) => ageKeys(project, host).length === 0)
}

function staleRecipients(project: string, record: SecretRecord, wanted: readonly string[]): Staleness[] {
  const hosts = [...new Set([...wanted, ...Object.keys(record.hosts)])].sort()
  return hosts.flatMap((host): Staleness[] => {
    const has = record.hosts[host] ?? []
    const wants = wanted.includes(host) ? ageKeys(project, host) : []
    if (wants.some((key) => !has.includes(key))) return [{ kind: 'lacks', host }]
    return has.some((key) => !wants.includes(key)) ? [{ kind: 'has-former', host }] : []
  })
}

function ageKeys(project: string, host: string): readonly string[] {
  return readPublicIdentity(project, host)?.age ?? []
}

function readCiphertext(project: string, name: SecretName): string | undefined {
  const file = join(project, secretFile(name))
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
