import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { GIB } from '../../images/layout.ts'
import { parseHostName } from '../../images/names.ts'
import { nearest } from '../../images/nearest.ts'
import type { Host, HostService } from '../../overlays/host-facts.ts'
import { SERVICES, type ServiceKind } from '../../overlays/services/registry.ts'
import { diskSize, memorySize, slotSize } from './sizes.ts'
import { checkTimezone } from './timezone.ts'

const ipv4 = z.ipv4({ error: (issue) => `'${String(issue.input)}' is not an IPv4 address such as '10.0.10.1'` })

/** What every service has, beside its own options. */
const shares = {
  /** The most memory it may use: '96 MiB'. It is stopped and started again beyond it. */
  memory: memorySize,
  /** The most processor time it may use, in cores: 0.5 is half of one. */
  cpus: z.number().positive().max(4).default(1),
}

const service = <Options extends z.ZodRawShape>(options: z.ZodObject<Options>) =>
  z.strictObject({ ...shares, ...options.shape }).optional()

type ServiceSchemas = {
  [Kind in ServiceKind]: (typeof SERVICES)[Kind]['options'] extends z.ZodObject<infer Shape extends z.ZodRawShape>
    ? ReturnType<typeof service<Shape>>
    : never
}

/** Typed name by name, so that the editor completes each service's own options. */
const services = Object.fromEntries(
  Object.entries(SERVICES).map(([name, { options }]) => [name, service<z.ZodRawShape>(options)]),
) as unknown as ServiceSchemas

const schema = z.strictObject({
  /** The machine's name, and its host name: lower-case letters, digits, hyphens. */
  name: z.string(),
  /** The kind of hardware. */
  board: z.enum(['raspberry-pi-5']),
  /** The machine's memory: '4 GiB'. */
  memory: memorySize,
  /** The disk as it is sold: '64 GB'. */
  disk: diskSize,
  /** Room for one generation, for the disk's life: 8 GiB, on disks over 128 GB 24 GiB. */
  slotSize: slotSize.optional(),
  /** Orders images that were built from the same lock: raise it to go beyond one that was flashed. */
  number: z.number().int().nonnegative().default(1),
  /** As in /usr/share/zoneinfo: 'Europe/Zurich'. */
  timezone: z.string().superRefine(checkTimezone).default('Etc/UTC'),
  /** Where the machine is in the lab: one fixed address. */
  network: z.strictObject({
    /** The machine's own address and the length of its network's prefix: '10.0.10.11/24'. */
    address: z.cidrv4({
      error: (issue) => `'${String(issue.input)}' is not an address with a prefix length such as '10.0.10.11/24'`,
    }),
    /** The router's address. */
    gateway: ipv4,
    /** Name servers; without any, the gateway. */
    dns: z.array(ipv4).optional(),
    /** The lab's domain: 'lab'. */
    domain: z.string().default('lab'),
  }),
  /** Who may log in. */
  ssh: z
    .strictObject({
      /** Public keys that may log in, beside the owner's own: 'ssh-ed25519 AAAA… name'. */
      keys: z
        .array(z.string().regex(/^(ssh-|ecdsa-|sk-)\S+ \S+/, "wanted a public key such as 'ssh-ed25519 AAAA… name'"))
        .default([]),
    })
    .prefault({}),
  /** Whose updates it accepts. */
  updates: z
    .strictObject({
      /** Public keys that may sign its images, beside the one that signed what it runs: 'ssh-ed25519 AAAA… name'. */
      signingKeys: z
        .array(
          z
            .string()
            .regex(/^ssh-ed25519 [A-Za-z0-9+/=]+( .*)?$/, "wanted a public key such as 'ssh-ed25519 AAAA… name'"),
        )
        .default([]),
    })
    .prefault({}),
  /** What somebody at its screen or serial cable may do. */
  console: z
    .strictObject({
      /** Whether the console's menu has a root shell, without a password: 'none' or 'root'. */
      shell: z.enum(['none', 'root']).default('none'),
    })
    .prefault({}),
  /** What the machine runs: name -> limits and options. */
  services: z.strictObject(services).prefault({}),
})

/** What an owner writes in `hosts/NAME.ts`. */
export type HostFile = z.input<typeof schema>

/** Checks a host file and fills in what it leaves out. Keys that mean nothing are refused. */
export function host(file: HostFile): Host {
  const parsed = schema.safeParse(file)
  if (!parsed.success) throw hostError(typeof file?.name === 'string' ? file.name : '?', parsed.error.issues[0])
  const { services, network, ...rest } = parsed.data
  const [address = '', prefix = ''] = network.address.split('/')
  return {
    ...rest,
    name: parseHostName(rest.name),
    slotSize: rest.slotSize ?? (rest.disk > 128e9 ? 24 * GIB : 8 * GIB),
    network: { ...network, address, prefix: Number(prefix), dns: network.dns ?? [network.gateway] },
    services: Object.entries(services)
      .flatMap(([name, given]) => (given === undefined ? [] : [hostService(name, given)]))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

function hostService(name: string, { memory, cpus, ...options }: { memory: number; cpus: number }): HostService {
  return { name, memory, cpus, options }
}

type Issue = z.core.$ZodIssue | undefined

function hostError(name: string, issue: Issue): UserError {
  const where = `hosts/${name}.ts`
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') return unknownKey(where, path, issue)
  const of = path === '' ? '' : ` at '${path}'`
  return new UserError('host', `${where}${of}: ${issue?.message ?? 'not a host'}`, {
    hint: 'the editor shows what each field takes; npm run types checks all host files',
    cause: issue,
  })
}

function unknownKey(where: string, path: string, issue: z.core.$ZodIssueUnrecognizedKeys): UserError {
  const key = issue.keys[0] ?? ''
  const allowed = allowedKeys(path)
  const meant = nearest(key, allowed)
  return new UserError('host', `${where}: unknown key '${path === '' ? key : `${path}.${key}`}'`, {
    hint: `${meant === undefined ? '' : `did you mean '${meant}'? `}allowed here: ${allowed.join(', ')}`,
    cause: issue,
  })
}

/** The keys of the object at a path of the schema. */
function allowedKeys(path: string): string[] {
  let at: z.core.$ZodType = schema
  for (const part of path.split('.').filter(Boolean)) at = (shapeOf(at)[part] ?? at) as z.core.$ZodType
  return Object.keys(shapeOf(at))
}

function shapeOf(type: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const { def } = type._zod as { def: { shape?: Record<string, z.core.$ZodType>; innerType?: z.core.$ZodType } }
  return def.shape ?? (def.innerType === undefined ? {} : shapeOf(def.innerType))
}
