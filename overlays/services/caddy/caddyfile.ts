import type { TlsFiles } from '../../tls-files.ts'
import type { Site } from './sites.ts'

/** caddy's ports. */
export const HTTP = 80
export const HTTPS = 443

/** A path that answers 200 to the host itself. */
export const HEALTH_PATH = '/caddy-health'

/** The socket on which caddy takes commands. Only programs of the container see it. */
export const ADMIN = 'unix//tmp/admin.sock'

/** The directory with the certificates of external names, each with its key: `home.example.org.pem`. */
export const EXTERNAL = '/external'

export interface Entry {
  /** The sites with names of the lab. */
  readonly internal: readonly Site[]
  /** The sites with names of the internet. */
  readonly external: readonly Site[]
  /** The certificate for the names of the lab. */
  readonly tls: TlsFiles
}

/** The Caddyfile, in the syntax of caddy 2.6. */
export function caddyfile({ internal, external, tls }: Entry): string {
  return [
    GLOBAL,
    ENTRY,
    plainSites([...internal, ...external]),
    ...internal.map((site) => internalSite(site, tls)),
    ...external.map((site) => externalSite(site, tls)),
  ].join('\n')
}

// caddy makes no certificates and no redirects of its own: then a name without a certificate is refused in the handshake.
// With client certificates, the name in the handshake must be the name in the request (strict_sni_host): otherwise a
// connection to a site for all could ask for a site that wants a certificate. HTTP/3 would need a UDP port.
const GLOBAL = block('', [
  `admin ${ADMIN}`,
  'auto_https off',
  'skip_install_trust',
  'ocsp_stapling off',
  `http_port ${HTTP}`,
  `https_port ${HTTPS}`,
  block('servers', ['protocols h1 h2', 'strict_sni_host on']),
])

// Headers with a question mark are those of the service, if it sets them.
const ENTRY = block('(entry)', [
  block('header', [
    'Strict-Transport-Security max-age=31536000',
    'X-Content-Type-Options nosniff',
    '?X-Frame-Options SAMEORIGIN',
    '?Referrer-Policy same-origin',
    '-Server',
    'defer',
  ]),
])

/** HTTP without TLS: redirects for the names of sites, and no answer for other names. */
function plainSites(sites: readonly Site[]): string {
  const health = block('@health', [`path ${HEALTH_PATH}`, 'remote_ip 127.0.0.1 ::1'])
  const others = block('http://', [health, block('handle @health', ['respond 200']), block('handle', ['abort'])])
  if (sites.length === 0) return others
  const names = sites.map(({ name }) => `http://${name}`).join(', ')
  return [block(names, ['redir https://{host}{uri} permanent']), others].join('\n')
}

function internalSite(site: Site, tls: TlsFiles): string {
  return secureSite(site, [`tls ${tls.certificate} ${tls.key}`, 'protocols tls1.3'], tls)
}

// The directory may be empty: then caddy refuses the name in the handshake, until it has loaded a certificate. Programs of
// the internet may be old: caddy's default is TLS 1.2.
function externalSite(site: Site, tls: TlsFiles): string {
  return secureSite(site, ['tls', `load ${EXTERNAL}`], tls)
}

function secureSite({ name, port, browsers }: Site, [tls, line]: [string, string], { ca }: TlsFiles): string {
  const clients = block('client_auth', ['mode require_and_verify', `trusted_ca_cert_file ${ca}`])
  return block(`https://${name}`, [
    block(tls, browsers === 'all' ? [line] : [line, clients]),
    'import entry',
    `reverse_proxy 127.0.0.1:${port}`,
  ])
}

/** A block of a Caddyfile: its head, and its lines or blocks. */
function block(head: string, content: readonly string[]): string {
  const lines = content.flatMap((each) => each.trimEnd().split('\n')).map((line) => `\t${line}\n`)
  return `${head === '' ? '' : `${head} `}{\n${lines.join('')}}\n`
}
