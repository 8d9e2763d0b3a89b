import { z } from 'zod'
import { type AlertGroup, alertRule } from '../../alert.ts'
import type { ContainerDefinition } from '../../container.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { type ServiceContext, service } from '../../service.ts'
import { tlsFiles } from '../../tls-files.ts'
import { acme } from './acme.ts'
import { ADMIN, caddyfile, EXTERNAL, HEALTH_PATH, HTTP, HTTPS } from './caddyfile.ts'
import { EXTERNAL_ABOUT, type External, externalSchema, externalSecrets } from './external.ts'
import { externalSites, sitesOf } from './sites.ts'

const CONFIGURATION = '/etc/caddy/Caddyfile'
const INTERNAL = tlsFiles('/etc/caddy/tls', 'caddy')

export const caddy = service({
  name: 'caddy',
  about: 'the HTTPS entry of the host: one name for each service with a web page',
  options: z.strictObject({ external: externalSchema.optional().describe(EXTERNAL_ABOUT) }),
  memory: { caddy: '128 MiB', acme: '96 MiB' },
  ports: () => [
    { number: HTTPS, protocol: 'tcp', reach: 'lab', purpose: 'web pages of services', web: false },
    { number: HTTP, protocol: 'tcp', reach: 'lab', purpose: 'redirects to HTTPS', web: false },
  ],
  certificates: (_, context) => ({
    caddy: {
      about: 'the HTTPS entry of the host',
      usages: ['server'],
      names: sitesOf(context).map(({ name }) => name),
    },
  }),
  secrets: ({ external }) => (external === undefined ? {} : externalSecrets(external)),
  alerts: ({ external }) => (external === undefined ? [] : [EXTERNAL_ALERTS]),
  volumes: {
    acme: {
      about: 'the account at the ACME server, and its certificates with their keys',
      binding: 'slot',
      owner: 'acme',
      backup: { kind: 'files' },
    },
    certificates: {
      about: 'the certificates of external names that caddy serves',
      binding: 'slot',
      owner: 'acme',
      backup: { kind: 'none', reason: 'they are copies from the volume `caddy-acme`' },
    },
  },
  containers: ({ external }, context) => ({
    caddy: proxy(external, context),
    ...(external === undefined ? {} : { acme: acme(external, { container: 'caddy', command: RELOAD }) }),
  }),
})

const CADDYFILE = ['--config', CONFIGURATION, '--adapter', 'caddyfile']

/** Loads the same Caddyfile and all certificates again, without a restart. */
const RELOAD = ['/usr/bin/caddy', 'reload', '--force', ...CADDYFILE, '--address', ADMIN]

const EXTERNAL_ALERTS: AlertGroup = {
  name: 'caddy',
  rules: [
    alertRule(
      'ExternalCertificateFailed',
      'node_systemd_unit_state{name="caddy-acme.service",state="failed"} == 1',
      '1h',
      'certificates of external names are not renewed on {{ $labels.host }}: journalctl -u caddy-acme',
    ),
  ],
}

function proxy(external: External | undefined, context: ServiceContext): ContainerDefinition {
  const sites = sitesOf(context)
  const entry = {
    internal: sites,
    external: externalSites(external?.names ?? {}, sites, context.host.name),
    tls: INTERNAL,
  }
  return {
    image: {
      source: 'debian',
      packages: ['caddy', HTTP_CHECK_PACKAGE],
      // caddy installs no CA into browsers, and serves no files.
      assumed: ['libnss3-tools', 'media-types'],
      tree: {},
    },
    user: 'caddy',
    command: ['/usr/bin/caddy', 'run', ...CADDYFILE],
    // caddy saves the configuration that it runs.
    environment: { XDG_CONFIG_HOME: '/tmp', XDG_DATA_HOME: '/tmp' },
    files: { [CONFIGURATION]: { kind: 'text', text: caddyfile(entry) }, ...INTERNAL.files },
    ...(external === undefined ? {} : { volumes: { [EXTERNAL]: 'certificates' } }),
    uses: sites.map(({ service, port }) => ({ service, port })),
    capabilities: ['NET_BIND_SERVICE'],
    health: httpAnswers(HTTP, HEALTH_PATH),
  }
}
