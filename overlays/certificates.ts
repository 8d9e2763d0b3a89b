import { UserError } from '../errors.ts'
import {
  type CertificateNames,
  type CertificateNeed,
  certificateFile,
  type HostCertificates,
} from '../images/certificates/need.ts'
import { type IpAddress, ipAddress } from '../images/ip-address.ts'
import { parseDomainName } from '../images/names.ts'
import { quoted } from '../images/quoted.ts'
import { type CertificateOwner, certificateError, subjectOf } from './certificate-files.ts'
import type { Host } from './host-facts.ts'
import type { HostServices, ServiceOnHost } from './host-services.ts'
import type { Lab } from './lab-facts.ts'
import type { CertificateDefinition } from './service.ts'

/** The certificates that the services of a host need. Throws a UserError for one that hangar cannot issue. */
export function certificatesOf(host: Host, { services }: HostServices, lab: Lab): HostCertificates {
  const needs = services.flatMap((service) => needsOf(host, service, lab))
  checkSubjects(host, services)
  for (const need of needs) checkFileName(need, lab)
  return {
    ca: needs.length > 0 || services.some(hasFileOfCa) ? 'used' : 'unused',
    needs: needs.sort((a, b) => (a.subject < b.subject ? -1 : 1)),
  }
}

function hasFileOfCa({ containers }: ServiceOnHost): boolean {
  return containers.some(({ files }) => Object.values(files).some(({ kind }) => kind === 'ca'))
}

function needsOf(host: Host, service: ServiceOnHost, lab: Lab): CertificateNeed[] {
  return Object.entries(service.certificates).map(([text, definition]) => ({
    host: host.name,
    subject: subjectOf(ownerOf(host, service), text),
    usages: [...new Set(definition.usages)].sort(),
    names: definition.usages.includes('server') ? namesOf(host, service, definition, lab) : NO_NAMES,
  }))
}

const NO_NAMES: CertificateNames = { dns: [], addresses: [] }

/** Clients on the host itself may connect to `localhost` or to a loopback address. */
const LOOPBACK = ['127.0.0.1', '::1'] as IpAddress[]

function namesOf(
  host: Host,
  service: ServiceOnHost,
  { names = [] }: CertificateDefinition,
  lab: Lab,
): CertificateNames {
  const { name, network } = host
  const own = network.addresses.map(({ address }) => address)
  const addresses = names.flatMap((each) => ipAddress(each) ?? [])
  const domains = names.filter((each) => ipAddress(each) === undefined)
  for (const each of domains) checkDomain(ownerOf(host, service), each)
  const standard = ['localhost', name, `${name}.${network.domain}`, `${service.name}.${lab.facts.domain}`]
  return { dns: distinct([...standard, ...domains]), addresses: distinct([...LOOPBACK, ...own, ...addresses]) }
}

function checkDomain(owner: CertificateOwner, text: string): void {
  try {
    parseDomainName(text)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw certificateError(owner, `its certificate cannot have the name ${quoted(text)}: ${error.message}`, error.hint)
  }
}

/** A subject is the identity of one service: a server that admits the subject cannot tell two services apart. */
function checkSubjects(host: Host, services: readonly ServiceOnHost[]): void {
  const owners = new Map<string, string>()
  for (const service of services) {
    for (const subject of Object.keys(service.certificates)) {
      const other = owners.get(subject)
      const problem = `it and '${other}' have the same subject of a certificate: '${subject}'`
      if (other !== undefined) throw certificateError(ownerOf(host, service), problem)
      owners.set(subject, service.name)
    }
  }
}

/**
 * Refuses a file name that may belong to another host: `node-red-editor.pem` is a certificate of the host `node` or of the
 * host `node-red`.
 */
function checkFileName(need: CertificateNeed, { hosts }: Lab): void {
  const { host, subject } = need
  const other = hosts.find(({ name }) => name.startsWith(`${host}-`) && `${host}-${subject}`.startsWith(`${name}-`))
  if (other === undefined) return
  throw new UserError(
    'host',
    `${host}: the certificate of '${subject}' and certificates of '${other.name}' may have the same file: '${certificateFile(need)}'`,
    { hint: `rename one of the two hosts: no host's name may be the beginning of '${host}-${subject}'` },
  )
}

function ownerOf({ name: host }: Host, { name: service }: ServiceOnHost): CertificateOwner {
  return { host, service }
}

function distinct<Text extends string>(texts: readonly Text[]): Text[] {
  return [...new Set(texts)].sort()
}
