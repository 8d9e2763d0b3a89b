import { z } from 'zod'
import { GIB, MIB } from '../../../images/layout.ts'
import type { ContainerImage, Use } from '../../../overlays/container.ts'
import type { ServiceOnHost } from '../../../overlays/host-services.ts'
import type { Backup, Service } from '../../../overlays/service.ts'

/** A service, and its rendering on a host that runs all services. */
export interface DocumentedService {
  readonly service: Service
  readonly rendered: ServiceOnHost
}

const HEAD = `# Services

This page is generated from the folders of \`overlays/services\`. To refresh it after a change of a service:
\`npx vitest run --project unit test/overlays/services/services-page.test.ts --update\`.

A host runs the services that its host file lists in \`services\`. Each entry sets the limits of the service, and its options:

- \`memory\` (required): the most memory that the container may use, for example \`'96 MiB'\`. The least is \`'16 MiB'\`. systemd restarts a container that exceeds the limit.
- \`cpus\` (default 1): the most processor time that the container may use, in cores from 0.01 to 4. \`0.5\` is half of one core.
- \`cpuWeight\` (default 100): the share of the processor time while all cores are busy, from 1 to 10000. A container with 200 gets twice as much as one with 100.
- \`tasks\` (default 256): the most processes and threads, from 16 to 8192.
- \`disk\` (default: the quota on this page): the most disk space that the data may take in each slot, at least \`'64 MiB'\`. Writes beyond it fail ([decisions/0022-quotas.md](decisions/0022-quotas.md)).

A service with several containers takes an object with a value for each container, and one with several volumes an object for \`disk\`. The memory on this page is a recommendation.

Each container runs as a user of its own without privileges, on a read-only root file system. It can write to its volumes and to \`/tmp\`.
The firewall opens ports with reach \`lab\` to every machine that reaches the host ([network.md](network.md)); ports with reach \`host\` are open to the host only.
A container reaches only what the column "connects to" names, and the ports of its own service. The firewall rejects and counts everything else.
hangar makes no backups yet: the column "backup" is the plan for each volume.
`

const TAIL = `## Add a service

1. Make the folder \`overlays/services/NAME\` with a \`service.ts\`: \`overlays/service.ts\` explains each field, and the folder of mosquitto is a small example.
2. Add a line to \`overlays/services/registry.ts\`.
3. Add a user to the end of the table in \`images/ids.ts\`.
4. Add the service to a host file, and lock its packages: \`npm run lock\`.
5. Refresh this page with the command above.

A container of Debian packages is configured: hangar runs the maintainer scripts on the builder, with all dependencies, and carries
their changes over: alternatives, CA certificates, created files, owners. What only a whole system needs stays behind (accounts, dpkg's
database, units).
The container itself leaves out dependencies that only scripts or an init system need (\`CONTAINER_ASSUMED\` in
\`hosts/platforms/pi/image-of.ts\`). A package that the service requests is never left out, so a program that needs \`tzdata\` requests it.
The field \`assumed\` of an image names further dependencies to leave out.
The build refuses an image that lacks the program of a container or of its health check, its interpreter, its loader or a library, and
names the package that has the missing file. Paths below \`/app/node_modules\` in the arguments of these programs must exist too. The build
cannot see programs that a program starts later.

hangar refuses a service that needs something that it does not support yet: volumes that both slots share, and images from PyPI
or a registry. The error names the service and the missing feature.

### A client of the MQTT broker

1. Declare the client and its topics: \`certificates: () => ({ NAME: { about: '…', usages: ['client'] } })\` and
   \`mqtt: () => ({ NAME: { publish: ['NAME/#'], subscribe: ['NAME/+/set'] } })\`. Brokers on all hosts of the lab then know the client.
2. Give the container the files of \`tlsFiles\` in \`overlays/tls-files.ts\`, and the use \`{ service: 'mosquitto', port: MQTT_PORT }\`.
3. Connect to \`mosquitto.DOMAIN\`, with the certificate and without a user name.

A device that is no service of the lab is in the option \`clients\` of mosquitto. A client may use no topic that it does not declare: the
broker drops its messages to other topics, and sends it none of them.

### A web page

A port with \`web: true\` is behind caddy, if the host runs caddy: \`https://SERVICE.DOMAIN\`. Declare it with reach \`host\`, so that browsers
can use only caddy. \`browsers: 'with-certificate'\` admits only browsers with a client certificate of the lab's internal CA.
The option \`external\` of caddy adds names of the internet:

\`\`\`ts
caddy: {
  memory: { caddy: '128 MiB', acme: '96 MiB' },
  external: {
    names: { 'graphs.example.org': 'prometheus' },
    email: 'owner@example.org',
    provider: 'cloudflare',
    credentials: ['CLOUDFLARE_DNS_API_TOKEN'],
  },
},
\`\`\`

The host obtains a certificate two minutes after it boots, and checks every six hours whether a certificate is due for renewal: 30 days
before its end. \`systemctl start caddy-acme\` checks at once, and \`journalctl -u caddy-acme\` shows why a renewal failed. Until a name has a
certificate, caddy refuses the name and serves all others. For trials, set \`directory\` to the staging server of Let's Encrypt.

### A job

A container that a timer starts has a \`Job\` instead of a health check: \`health: { hours: 6 }\`. A job that fails is a failed unit, which
prometheus reports; it does not make the host unhealthy for an update.

### A service of npm packages

1. Write \`overlays/services/NAME/package.json\` with the packages in \`dependencies\`; the folder of zigbee2mqtt is an example. It needs
   \`"type": "module"\` for the TypeScript files beside it, and a \`name\`, which npm copies into the lock.
2. Give the container the image \`{ source: 'npm', folder: 'overlays/services/NAME' }\`. hangar adds Debian's Node.js. \`packages\` names further Debian packages.
3. Start the program from \`/app/node_modules\`, for example \`/usr/bin/node /app/node_modules/node-red/red.js\`.
4. Lock the packages: \`npm run lock\`. It writes \`package-lock.json\`; commit both files. Renovate and Dependabot can update them.

The packages come from the registry that npm uses on the building machine: \`npm config get registry\`. The lock names no server.
hangar runs no install script and no compiler. A native module must come as a binary for Linux on arm64 with glibc, in the tarball or as an
optional package. [decisions/0021-npm-source.md](decisions/0021-npm-source.md) explains the rules.
`

/** The text of `docs/services.md`. */
export function servicesPage(services: readonly DocumentedService[]): string {
  return [HEAD, ...services.map(section), TAIL].join('\n')
}

function section({ service, rendered }: DocumentedService): string {
  const recommended = typeof service.memory === 'string' ? [service.memory] : Object.values(service.memory)
  return [
    `## ${service.name}\n`,
    `${service.about[0]?.toUpperCase()}${service.about.slice(1)}.\n`,
    `\`\`\`ts\n${example(service)}\n\`\`\`\n`,
    table(
      ['container', 'image', 'user', 'recommended memory', 'connects to'],
      rendered.containers.map(({ name, image, user, uses }, index) => [
        code(name),
        imageText(image),
        code(user),
        recommended[index] ?? '',
        list(uses.map(useText)),
      ]),
    ),
    options(service),
    table(
      ['port', 'reach', 'purpose'],
      rendered.ports.map(({ number, protocol, reach, purpose }) => [`${number}/${protocol}`, reach, purpose]),
    ),
    table(
      ['volume', 'content', 'quota', 'copies', 'backup'],
      rendered.volumes.map(({ name, about, binding, backup, quota }) => [
        code(name),
        about,
        sizeText(quota),
        binding === 'slot' ? 'one for each slot' : 'one for both slots',
        backupText(backup),
      ]),
    ),
    `${monitoring(rendered)}\n`,
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function example({ name, memory, options }: Service): string {
  const value = typeof memory === 'string' ? `'${memory}'` : `{ ${fields(memory)} }`
  const needed = requiredOptions(options).map(([option, given]) => `, ${option}: '${given}'`)
  return `services: { ${/^\w+$/.test(name) ? name : `'${name}'`}: { memory: ${value}${needed.join('')} } },`
}

/** The options without a default, each with the example of its schema. */
function requiredOptions(options: Service['options']): [string, string][] {
  const { properties = {}, required = [] } = z.toJSONSchema(options, { io: 'input' })
  return required.map((name) => {
    const [given] = (properties[name] as z.core.JSONSchema.JSONSchema).examples ?? []
    if (given === undefined) throw new Error(`the required option '${name}' has no example in its schema`)
    return [name, String(given)]
  })
}

function fields(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: '${value}'`)
    .join(', ')
}

function options({ options }: Service): string {
  const { properties = {}, required = [] } = z.toJSONSchema(options, { io: 'input' })
  return table(
    ['option', 'type', 'default', 'meaning'],
    Object.entries(properties).map(([name, property]) => {
      const { type, format, default: value, description = '' } = property as z.core.JSONSchema.JSONSchema
      const byDefault =
        value === undefined ? (required.includes(name) ? 'required' : 'none') : code(JSON.stringify(value))
      return [code(name), format === undefined ? String(type) : `${type} (${format})`, byDefault, description]
    }),
  )
}

function monitoring({ metrics, alerts, dashboards }: ServiceOnHost): string {
  const rules = alerts.flatMap((each) => each.rules.map(({ alert }) => code(alert)))
  return [
    `Metrics: ${list(metrics.map(({ port, path }) => code(`:${port}${path}`)))}.`,
    `Alerts: ${list(rules)}.`,
    `Dashboards: ${list(dashboards.map(({ name }) => name))}.`,
  ].join(' ')
}

function imageText(image: ContainerImage): string {
  switch (image.source) {
    case 'debian':
      return `Debian packages ${list(image.packages.map(code))}`
    case 'npm': {
      const { packages = [] } = image
      const beside = packages.length === 0 ? '' : ` and Debian packages ${list(packages.map(code))}`
      return `npm packages of ${code(image.folder)}${beside}`
    }
    case 'oci':
      return `image ${code(image.reference)}`
    default:
      return `${image.source} packages of ${code(image.folder)}`
  }
}

function useText(use: Use): string {
  if ('service' in use) return code(`${use.service}:${use.port}`)
  if ('machine' in use) return list(use.ports.map(([protocol, port]) => `${use.machine} ${port}/${protocol}`))
  if ('internet' in use) return list(use.internet.map(([protocol, port]) => `internet ${port}/${protocol}`))
  return `${DEVICE[use.missing]} ${code(use.device)}`
}

const DEVICE = { fail: 'device', start: 'optional device', wait: 'waits for the device' } as const

function sizeText(bytes: number): string {
  return bytes % GIB === 0 ? `${bytes / GIB} GiB` : `${bytes / MIB} MiB`
}

function backupText(backup: Backup): string {
  switch (backup.kind) {
    case 'files':
      return 'all files'
    case 'dump':
      return `dump by ${code(backup.command.join(' '))}`
    case 'none':
      return `none: ${backup.reason}`
  }
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : [...new Set(items)].join(', ')
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')}\n`
}
