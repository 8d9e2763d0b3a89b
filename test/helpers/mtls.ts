import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorities, authorityKeys } from '../../builder/certificates/authority.ts'
import { newPrivateKey } from '../../builder/certificates/certificate.ts'
import type { CertificateContext } from '../../builder/certificates/context.ts'
import { requireKey } from '../../builder/certificates/rotate-authority.ts'
import { type EndEntity, issueAuthority, issueCertificate, type Signer } from '../../builder/certificates/x509.ts'
import { CA_FILE } from '../../images/certificates/need.ts'
import { listReporter } from './reporter.ts'

/** A certificate and its private key, both in PEM. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

const DAY = 86_400_000

/** A period around a time, in days. */
function around(now: Date, before: number, after: number) {
  return { from: new Date(now.getTime() + before * DAY), until: new Date(now.getTime() + after * DAY) }
}

/** The CA of a project, with its private key. `env` names the owner's keys. */
export async function projectAuthority(project: string, env: NodeJS.ProcessEnv): Promise<Signer> {
  const context: CertificateContext = { project, env, reporter: listReporter(), now: new Date() }
  const [authority] = authorities(project)
  if (authority === undefined) throw new Error(`'${CA_FILE}' does not exist: build the project first`)
  return { certificate: authority.pem, key: requireKey(authority, await authorityKeys(context)) }
}

/** All certificates of a project's CA, which clients trust. */
export function trustedBy(project: string): string {
  return readFileSync(join(project, CA_FILE), 'utf8')
}

/** A CA that no host trusts. It has the name of a hangar CA. */
export async function foreignAuthority(now = new Date(), subject = 'hangar CA 00000000'): Promise<Signer> {
  const key = newPrivateKey()
  const content = { subject, period: around(now, -1, 3650), serial: randomBytes(15) }
  return { certificate: await issueAuthority(content, key), key }
}

/** A new certificate with its key: by default of a client, valid since yesterday. */
export async function issuedBy(
  signer: Signer,
  subject: string,
  changes: Partial<EndEntity> = {},
  now = new Date(),
): Promise<TlsPair> {
  const key = newPrivateKey()
  const content: EndEntity = {
    ...{ subject, usages: ['client'], names: { dns: [], addresses: [] }, serial: randomBytes(15) },
    ...{ period: around(now, -1, 30), ...changes },
  }
  return { cert: await issueCertificate(content, key, signer), key }
}

/** A certificate that the other side must refuse. */
export interface BadPair {
  readonly why: string
  /** None: the client shows no certificate. */
  readonly pair: TlsPair | undefined
}

/** Every kind of client that a server of the lab must refuse, all with the same subject as an allowed client. */
export async function badClients(signer: Signer, subject: string, now = new Date()): Promise<BadPair[]> {
  const foreign = await foreignAuthority(now)
  const from = (authority: Signer, changes: Partial<EndEntity> = {}) => issuedBy(authority, subject, changes, now)
  return [
    { why: 'no certificate', pair: undefined },
    { why: "another CA's certificate", pair: await from(foreign) },
    { why: 'a certificate that it signed itself', pair: await selfSigned(subject, now) },
    { why: 'an expired certificate', pair: await from(signer, { period: around(now, -30, -2) }) },
    { why: 'a certificate that is not valid yet', pair: await from(signer, { period: around(now, 2, 30) }) },
    { why: "a server's certificate", pair: await from(signer, { usages: ['server'] }) },
  ]
}

async function selfSigned(subject: string, now: Date): Promise<TlsPair> {
  const key = newPrivateKey()
  const common = { subject, period: around(now, -1, 30), serial: randomBytes(15) }
  const signer = { certificate: await issueAuthority(common, key), key }
  const content: EndEntity = { ...common, usages: ['client'], names: { dns: [], addresses: [] } }
  return { cert: await issueCertificate(content, key, signer), key }
}

/** Every kind of server that a client of the lab must refuse when it connects to `name`. */
export async function badServers(signer: Signer, name: string, now = new Date()): Promise<BadPair[]> {
  const foreign = await foreignAuthority(now)
  const names = { dns: [name], addresses: [] }
  const from = (authority: Signer, changes: Partial<EndEntity> = {}) =>
    issuedBy(authority, 'server', { usages: ['server'], names, ...changes }, now)
  return [
    { why: "another CA's certificate", pair: await from(foreign) },
    { why: 'an expired certificate', pair: await from(signer, { period: around(now, -30, -2) }) },
    { why: 'another name', pair: await from(signer, { names: { dns: ['other.lab'], addresses: [] } }) },
    { why: 'no name', pair: await from(signer, { names: { dns: [], addresses: [] } }) },
    { why: "a client's certificate", pair: await from(signer, { usages: ['client'] }) },
  ]
}
