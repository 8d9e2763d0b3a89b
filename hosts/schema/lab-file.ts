import { z } from 'zod'
import { parseBackupRepository } from '../../images/backup-repository.ts'
import { grammar, oneOrMore } from '../../images/grammar.ts'
import { parseHttpUrl } from '../../images/http-url.ts'
import { parseNeighbourAddress } from '../../images/machine-address.ts'
import { parseMailAddress } from '../../images/mail-address.ts'
import { type DomainName, parseDomainName, parseHostName } from '../../images/names.ts'
import { parseServerName, parseServerPort } from '../../images/server-address.ts'
import { parseSubnet } from '../../images/subnet.ts'
import type { BackupTarget, LabFacts, LabNetwork } from '../../overlays/lab-facts.ts'
import { SERVICES, type ServiceKind } from '../../overlays/services/registry.ts'
import { fileError } from './file-error.ts'
import { parseDnsProvider, parseLabel, parseVariable } from './lab-words.ts'
import { networksProblem } from './networks-problem.ts'

const network = z.strictObject({
  /** The VLAN id, 1 to 4094. Without one, the network's frames have no tag. */
  vlan: z.number().int().min(1).max(4094).optional(),
  /** The network, or a list of networks: '10.0.10.0/24', ['10.0.10.0/24', 'fd00:10::/64']. */
  subnet: oneOrMore(parseSubnet),
  /** The router's address, or a list of one for IPv4 and one for IPv6. Hosts without a gateway of their own use it. */
  gateway: oneOrMore(parseNeighbourAddress).optional(),
  /** Name servers for hosts without name servers of their own. Default: the gateways. */
  dns: oneOrMore(parseNeighbourAddress).optional(),
})

const external = z.strictObject({
  /** A domain in the public DNS: 'example.org'. */
  domain: grammar(parseDomainName),
  /** The mail address of the ACME account. */
  mail: grammar(parseMailAddress),
  dns: z.strictObject({
    /** The DNS provider, as lego names it: 'hetzner', 'rfc2136'. All names: https://go-acme.github.io/lego/dns/ */
    provider: grammar(parseDnsProvider),
    /** lego's environment variables that are not secret: { RFC2136_NAMESERVER: '10.0.10.1:53' }. */
    settings: z.record(grammar(parseVariable), z.string()).default({}),
    /** The names of lego's environment variables whose values are secrets: ['HETZNER_API_KEY']. */
    secrets: z.array(grammar(parseVariable)).default([]),
  }),
})

type Providers = z.ZodObject<Record<ServiceKind, z.ZodOptional<ReturnType<typeof grammar<string>>>>>

// Typed by name, so that an editor completes the names of the services.
const providers = z.strictObject(
  Object.fromEntries(Object.keys(SERVICES).map((name) => [name, grammar(parseHostName).optional()])),
) as unknown as Providers

const fields = z.strictObject({
  /** The lab's domain: 'lab'. Every host has the name HOST.DOMAIN, every service SERVICE.DOMAIN. */
  domain: grammar(parseDomainName).default('lab' as DomainName),
  /** The networks: name -> VLAN, subnets, gateway and name servers. If there are any, each host must be in one. */
  networks: z.record(grammar(parseLabel), network).default({}),
  /** Names in the public DNS, with certificates that every browser trusts. */
  external: external.optional(),
  /** Names or addresses of time servers. Default: Debian's pool. */
  timeServers: z.array(grammar(parseServerName)).default([]),
  /** Service -> host that the other hosts connect to. Needed for services that several hosts run. */
  providers: providers.prefault({}),
  /** Backup targets: name -> repository in restic's notation. The first one is the main one. */
  backups: z.record(grammar(parseLabel), grammar(parseBackupRepository)).default({}),
  /** Where alerts go. */
  alerts: z
    .strictObject({
      /** The URL that receives each alert as JSON. */
      webhook: grammar(parseHttpUrl).optional(),
      /** Alerts by mail, through a mail server that needs no login. */
      mail: z
        .strictObject({
          to: grammar(parseMailAddress),
          from: grammar(parseMailAddress),
          /** The mail server and its port: 'mail.lab:587'. Port 465 is TLS from the start. */
          server: grammar(parseServerPort),
          /** 'required': no mail without encryption. 'none': no encryption, for a relay in the lab. */
          tls: z.enum(['required', 'none']).default('required'),
        })
        .optional(),
    })
    .prefault({}),
  /** Mirrors that hangar asks before the public servers. */
  registryMirrors: z
    .strictObject({
      /** Mirrors of Debian's main archive: ['http://mirror.lab/debian']. HANGAR_DEBIAN_MIRROR replaces all mirrors. */
      debian: z.array(grammar(parseHttpUrl)).default([]),
      /** Mirrors of Debian's archive of security updates: ['http://mirror.lab/debian-security']. */
      'debian-security': z.array(grammar(parseHttpUrl)).default([]),
    })
    .prefault({}),
})

/** The schema of `hosts/lab.ts`. */
export const labSchema = fields
  .superRefine(({ networks }, context) => {
    const problem = networksProblem(networks)
    if (problem === undefined) return
    const { path, message, hint } = problem
    context.addIssue({ code: 'custom', path: ['networks', ...path], message, params: { hint } })
  })
  .transform(
    ({ networks, backups, ...rest }): LabFacts => ({
      ...rest,
      networks: Object.entries(networks).map(labNetwork),
      backups: Object.entries(backups).map(([name, repository]): BackupTarget => ({ name, repository })),
      providers: rest.providers as LabFacts['providers'],
    }),
  )

function labNetwork([name, given]: [string, z.output<typeof network>]): LabNetwork {
  const { vlan, subnet, gateway = [], dns = gateway } = given
  return { name, ...(vlan === undefined ? {} : { vlan }), subnets: subnet, gateways: gateway, dns }
}

/** The argument of `defineLab()` in `hosts/lab.ts`. */
export type LabFile = z.input<typeof labSchema>

/** Checks the lab file and fills in its defaults. Throws a UserError for unknown keys and invalid values. */
export function defineLab(file: LabFile): LabFacts {
  const parsed = labSchema.safeParse(file, { reportInput: true })
  if (parsed.success) return parsed.data
  throw fileError({ where: 'hosts/lab.ts', what: 'lab file' }, labSchema, parsed.error.issues)
}
