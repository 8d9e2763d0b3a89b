import { UserError } from '../errors.ts'
import {
  type CertificateNames,
  type CertificateNeed,
  type CertificateSubject,
  certificateFile,
  type HostCertificates,
  parseCertificateSubject,
} from '../images/certificates/need.ts'
import { type IpAddress, ipAddress } from '../images/ip-address.ts'
import { parseDomainName } from '../images/names.ts'
import { quoted } from '../images/quoted.ts'
import type { Host } from './host-facts.ts'
import type { HostServices, ServiceOnHost } from './host-services.ts'
import type { Lab } from './lab-facts.ts'
import type { CertificateDefinition } from './service.ts'

/** The certificates that the services of a host need. Throws a UserError for one that hangar cannot issue. */
export function certificatesOf(host: Host, { services }: HostServices, lab: Lab): HostCertificates {
  for (const service of services) checkFiles(host, service)
  const needs = services.flatMap((service) => needsOf(host, service, lab))
  checkSubjects(host, services)
  for (const need of needs) checkFileName(need, lab)
  const kinds = filesOf(services).map(({ kind }) => kind)
  return {
    ca: needs.length > 0 || kinds.includes('ca') ? 'used' : 'unused',
    needs: needs.sort((a, b) => (a.subject < b.subject ? -1 : 1)),
  }
}

function needsOf(host: Host, service: ServiceOnHost, lab: Lab): CertificateNeed[] {
  return Object.entries(service.certificates).map(([text, definition]) => ({
    host: host.name,
    subject: subjectOf(host, service, text),
    usages: [...new Set(definition.usages)].sort(),
    names: definition.usages.includes('server') ? namesOf(host, service, definition, lab) : { dns: [], addresses: [] },
  }))
}

function subjectOf(host: Host, service: ServiceOnHost, text: string): CertificateSubject {
  try {
    return parseCertificateSubject(text)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw wrong(host, service, error.message, error.hint)
  }
}

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
  for (const each of domains) checkDomain(host, service, each)
  return {
    dns: distinct([
      ...['localhost', name, `${name}.${network.domain}`, `${service.name}.${lab.facts.domain}`],
      ...domains,
    ]),
    addresses: distinct([...LOOPBACK, ...own, ...addresses]),
  }
}

function checkDomain(host: Host, service: ServiceOnHost, text: string): void {
  try {
    parseDomainName(text)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw wrong(host, service, `its certificate cannot have the name ${quoted(text)}: ${error.message}`, error.hint)
  }
}

/** Each file of a certificate names a certificate that the service itself declares. */
function checkFiles(host: Host, service: ServiceOnHost): void {
  const declared = Object.keys(service.certificates)
  for (const file of filesOf([service])) {
    if (file.kind !== 'certificate' && file.kind !== 'certificate-key') continue
    if (declared.includes(file.subject)) continue
    const problem = `a container has a file of the certificate ${quoted(file.subject)}, which the service does not declare`
    throw wrong(host, service, problem, `declare it in 'certificates'; declared: ${declared.join(', ') || 'none'}`)
  }
}

/** A subject is the identity of one service: a server that admits the subject cannot tell two services apart. */
function checkSubjects(host: Host, services: readonly ServiceOnHost[]): void {
  const owners = new Map<string, ServiceOnHost>()
  for (const service of services) {
    for (const subject of Object.keys(service.certificates)) {
      const other = owners.get(subject)
      if (other !== undefined)
        throw wrong(host, service, `it and '${other.name}' have the same subject of a certificate: ${quoted(subject)}`)
      owners.set(subject, service)
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
    { hint: `rename one of the two hosts: no host's name may begin with '${host}-${subject.split('-')[0]}'` },
  )
}

function filesOf(services: readonly ServiceOnHost[]) {
  return services.flatMap(({ containers }) => containers.flatMap(({ files }) => Object.values(files)))
}

function distinct<Text extends string>(texts: readonly Text[]): Text[] {
  return [...new Set(texts)].sort()
}

function wrong({ name }: Host, service: ServiceOnHost, problem: string, hint?: string): UserError {
  return new UserError('host', `${name}: service '${service.name}': ${problem}`, {
    hint: hint ?? `change 'certificates' in overlays/services, or remove '${service.name}' from hosts/${name}.ts`,
  })
}
