import type { Certificate } from '../../builder/certificates/certificate.ts'
import type { CertificatesByHost } from '../../builder/certificates/ensure.ts'
import { dayOf } from '../../builder/certificates/lifetime.ts'
import type { CertificateList, ListedAuthority } from '../../builder/certificates/list.ts'
import type { Examined } from '../../builder/certificates/renew.ts'
import type { AuthorityStep } from '../../builder/certificates/rotate-authority.ts'
import {
  CA_SECRET,
  type CertificateNames,
  type CertificateNeed,
  certificateFile,
  certificateKeySecret,
  certificateName,
} from '../../images/certificates/need.ts'
import { secretFile } from '../../images/secrets/secret-name.ts'
import { SECRET_RECORDS } from '../../images/secrets/secret-records.ts'
import { formatTable } from '../display/table.ts'

/** The CA, a table of the certificates, and the commands that help. */
export function certificatesText(list: CertificateList): string {
  const { authorities, certificates, unused } = list
  if (certificates.length === 0 && unused.length === 0 && authorities.length === 0) return NONE
  return [
    ...(authorities.length === 0 ? [] : [authorityTable(authorities), '']),
    formatTable([HEAD, ...certificates.map(rowOf), ...unused.map(unusedRow)]),
    ...adviceOf(list),
  ].join('\n')
}

const NONE = 'no service of the lab needs a certificate'

const HEAD = ['certificate', 'subject', 'host', 'usages', 'from', 'until', 'state', 'names']

function rowOf({ need, found, state }: Examined): string[] {
  const { host, subject, usages } = need
  const days = found === undefined ? ['', ''] : [dayOf(found.from), dayOf(found.until)]
  const shown = found === undefined ? 'missing' : state.kind === 'valid' ? 'valid' : `${state.kind}: ${state.reason}`
  return [certificateName(need), subject, host, usages.join(' '), ...days, shown, namesText(need.names)]
}

function namesText({ dns, addresses }: CertificateNames): string {
  return [...dns, ...addresses].join(' ')
}

function unusedRow(file: string): string[] {
  return [file, '', '', '', '', '', 'unused by every service', '']
}

function adviceOf({ certificates, authorities }: CertificateList): string[] {
  const isDue = authorities.some(({ state }) => state === 'issues; due' || state === 'expired')
  return [
    ...(certificates.some(({ state }) => state.kind !== 'valid')
      ? ['', 'the next build issues or renews certificates; to do it now: npm run certs issue']
      : []),
    ...(isDue ? ['', 'to replace the CA: npm run certs ca -- --rotate'] : []),
  ]
}

/** The CA's certificates, and the next step of a rotation that is under way. */
export function authoritiesText(authorities: readonly ListedAuthority[]): string {
  if (authorities.length === 0)
    return 'the lab has no CA yet: a build makes it when a service first needs a certificate'
  return [
    authorityTable(authorities),
    `keys: ${secretFile(CA_SECRET)}, encrypted to you only`,
    ...underWay(authorities),
  ].join('\n')
}

function authorityTable(authorities: readonly ListedAuthority[]): string {
  const rows = authorities.map(({ certificate, state }) => [
    ...[certificate.subject, dayOf(certificate.from), dayOf(certificate.until), state],
  ])
  return formatTable([['CA', 'from', 'until', 'state'], ...rows])
}

function underWay(authorities: readonly ListedAuthority[]): string[] {
  const [issuing, other] = authorities.map(({ certificate }) => certificate)
  if (issuing === undefined || other === undefined) return []
  const next =
    issuing.from < other.from ? `issue all certificates with '${other.subject}'` : `trust only '${issuing.subject}'`
  return [`next step, when all hosts run an image of this one: npm run certs ca -- --rotate, to ${next}`]
}

const DONE: Readonly<Record<AuthorityStep, string>> = {
  make: 'made the CA of the lab',
  add: 'made a second CA: hosts will trust both, and the first one still issues certificates',
  switch: 'the second CA issues all certificates now, and hosts still trust the first one',
  remove: 'hosts will trust only the CA that issues certificates',
  replace: 'made a new CA and new certificates: hosts will no longer trust the former CA',
}

/** The result of a step: the CA's certificates, the files to commit, and the next commands. */
export function stepText(
  step: AuthorityStep,
  authorities: readonly ListedAuthority[],
  hosts: readonly string[],
): string {
  const goesOn = step === 'add' || step === 'switch'
  return [
    DONE[step],
    authorityTable(authorities),
    COMMIT,
    ...(step === 'replace'
      ? ['until all hosts are updated, updated hosts and others refuse connections of each other']
      : []),
    ...(hosts.length === 0 ? [] : [`next: npm run flash ${hosts.join(' ')}`]),
    ...(goesOn ? ['when all hosts run such an image: npm run certs ca -- --rotate'] : []),
  ].join('\n')
}

const COMMIT = 'add to the repository: git add hosts/certificates hosts/secrets'

/** The result of `certs issue`. Each new certificate has had a notice. */
export function issuedText(certificates: CertificatesByHost): string {
  const count = [...certificates.values()].reduce((sum, { issued }) => sum + Object.keys(issued).length, 0)
  if (certificates.size === 0) return NONE
  return `${count === 1 ? '1 certificate is' : `${count} certificates are`} valid\n${COMMIT}`
}

/** The result of `certs rotate`. */
export function rotatedText(need: CertificateNeed, { until }: Certificate): string {
  const files = [certificateFile(need), secretFile(certificateKeySecret(need)), SECRET_RECORDS]
  return [
    `${certificateName(need)} has a new private key and a new certificate, valid until ${dayOf(until)}`,
    `add to the repository: git add ${files.join(' ')}`,
    `next: npm run flash ${need.host}`,
  ].join('\n')
}
