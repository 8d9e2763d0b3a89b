import type { ContainerDefinition, ContainerFile, Job } from '../../container.ts'
import { HTTP_CHECK_PACKAGE } from '../../http-check.ts'
import { credentialSecret, type External } from './external.ts'
import { RENEW } from './renew.ts'

const SCRIPT = '/etc/acme/renew.sh'
const CREDENTIALS = '/run/secrets'

/** The volumes of the job: lego's state, and the certificates for caddy. */
export const STATE = '/data'
export const SERVED = '/served'

/** The job that obtains and renews the certificates of external names with lego. */
export function acme(external: External, follow: Pick<NonNullable<Job['follow']>, 'container' | 'command'>) {
  const { names, settings, credentials } = external
  return {
    // busybox has the programs of the script.
    image: {
      source: 'debian',
      packages: ['lego', 'ca-certificates', HTTP_CHECK_PACKAGE],
      assumed: ['openssl'],
      tree: {},
    },
    user: 'acme',
    command: ['/usr/bin/busybox', 'sh', SCRIPT, ...legoOptions(external)],
    environment: {
      ...settings,
      ...Object.fromEntries(credentials.map((each) => [`${each}_FILE`, `${CREDENTIALS}/${each}`])),
      ACME_NAMES: Object.keys(names).sort().join(' '),
      ACME_STATE: STATE,
      ACME_SERVED: SERVED,
    },
    files: {
      [SCRIPT]: { kind: 'text', text: RENEW },
      ...Object.fromEntries(
        credentials.map((each): [string, ContainerFile] => [
          `${CREDENTIALS}/${each}`,
          { kind: 'secret', name: credentialSecret(each) },
        ]),
      ),
    },
    volumes: { [STATE]: 'acme', [SERVED]: 'certificates' },
    // The ACME server, and the API or the DNS servers of the provider.
    uses: [
      {
        internet: [
          ['tcp', 443],
          ['tcp', 53],
          ['udp', 53],
        ],
      },
    ],
    health: { hours: 6, follow: { ...follow, file: `${STATE}/changed` } },
  } as const satisfies ContainerDefinition
}

// Other resolvers are for networks that answer for the names themselves. They often hide the zone's own servers, too.
function legoOptions({ directory, email, provider, resolvers }: External): string[] {
  return [
    ...['--server', directory],
    ...['--email', email],
    '--accept-tos',
    ...['--dns', provider],
    ...resolvers.flatMap((each) => ['--dns.resolvers', each]),
    ...(resolvers.length === 0 ? [] : ['--dns.disable-cp']),
  ]
}
