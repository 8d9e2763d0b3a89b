import { z } from 'zod'
import type { ContainerDefinition } from '../../container.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { type ServiceContext, service } from '../../service.ts'
import { tlsFiles } from '../../tls-files.ts'
import { caddyfile, HEALTH_PATH, HTTP, HTTPS } from './caddyfile.ts'
import { sitesOf } from './sites.ts'

const CONFIGURATION = '/etc/caddy/Caddyfile'
const INTERNAL = tlsFiles('/etc/caddy/tls', 'caddy')

export const caddy = service({
  name: 'caddy',
  about: 'the HTTPS entry of the host: one name for each service with a web page',
  options: z.strictObject({}),
  memory: '128 MiB',
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
  containers: (_, context) => ({ caddy: proxy(context) }),
})

function proxy(context: ServiceContext): ContainerDefinition {
  const sites = sitesOf(context)
  return {
    image: {
      source: 'debian',
      packages: ['caddy', HTTP_CHECK_PACKAGE],
      // caddy installs no CA into browsers, and serves no files.
      assumed: ['libnss3-tools', 'media-types'],
      tree: {},
    },
    user: 'caddy',
    command: ['/usr/bin/caddy', 'run', '--config', CONFIGURATION, '--adapter', 'caddyfile'],
    // caddy saves the configuration that it runs.
    environment: { XDG_CONFIG_HOME: '/tmp', XDG_DATA_HOME: '/tmp' },
    files: { [CONFIGURATION]: { kind: 'text', text: caddyfile(sites, INTERNAL) }, ...INTERNAL.files },
    uses: sites.map(({ service, port }) => ({ service, port })),
    capabilities: ['NET_BIND_SERVICE'],
    health: httpAnswers(HTTP, HEALTH_PATH),
  }
}
