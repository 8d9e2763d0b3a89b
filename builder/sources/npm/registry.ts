import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { type ProxyRule, parseProxy } from '../../../lib/proxy.ts'
import { withoutLogins } from './messages.ts'
import { npmVariables, parseNpmrc, type Settings } from './npmrc.ts'

/** The npm registries of this machine, as npm's own settings name them. */
export interface Registries {
  /** The address of a tarball, by its path on a registry. The package's scope decides on the registry. */
  readonly urlOf: (path: string) => string
  /** The headers that a registry wants for an address. They can contain a password: never show them. */
  readonly headersFor: (url: string) => Readonly<Record<string, string>>
  /** The certificates that the owner trusts instead of the public ones, in PEM. */
  readonly authorities: string | undefined
  readonly proxy: ProxyRule
}

const PUBLIC = 'https://registry.npmjs.org/'

/** Reads npm's settings: the environment, then the `.npmrc` of the project, of the user and of the machine. */
export async function readRegistries(env: NodeJS.ProcessEnv, project: string): Promise<Registries> {
  const variables = npmVariables(env)
  const files = [
    join(project, '.npmrc'),
    variables.userconfig ?? join(env.HOME ?? homedir(), '.npmrc'),
    variables.globalconfig ?? join(dirname(dirname(process.execPath)), 'etc/npmrc'),
  ]
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
  const settings = [...texts.map((text) => parseNpmrc(text, env)).reverse(), variables]
  const merged: Settings = Object.assign({}, ...settings)
  const { cafile } = merged
  return registriesOf(merged, cafile === undefined ? undefined : await readAuthorities(cafile))
}

async function readAuthorities(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UserError('usage', `npm's setting 'cafile' names '${file}', which cannot be read: ${cause.code}`, {
      hint: 'correct the setting: npm config set cafile FILE',
      cause,
    })
  })
}

/** The registries of the given settings. Throws UserError when a registry is no web address. */
export function registriesOf(settings: Settings, authorities?: string): Registries {
  const registryOf = (path: string) => {
    const scope = /^@[^/]+(?=\/)/.exec(path)?.[0]
    const key = scope === undefined ? undefined : `${scope}:registry`
    return key !== undefined && settings[key] !== undefined
      ? baseOf(key, settings[key])
      : baseOf('registry', settings.registry ?? PUBLIC)
  }
  registryOf('')
  return {
    urlOf: (path) => `${registryOf(path)}${path.split('/').map(encodedPart).join('/')}`,
    headersFor: (url) => loginFor(new URL(url), settings),
    authorities,
    proxy: proxyRule(settings),
  }
}

function encodedPart(part: string): string {
  return encodeURIComponent(part).replace('%40', '@')
}

function baseOf(key: string, value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value.replace(/\/*$/, '/')
  const shown = withoutLogins(value)
  throw new UserError('usage', `npm's setting '${key}' is '${shown}', wanted the web address of a registry`, {
    hint: `set it: npm config set ${key} ${PUBLIC}`,
  })
}

/** npm keeps logins by address without the scheme: `//HOST/PATH/:_authToken`. The longest path counts. */
function loginFor({ host, pathname }: URL, settings: Settings): Record<string, string> {
  const parts = pathname.split('/').slice(1, -1)
  for (let length = parts.length; length >= 0; length -= 1) {
    const at = ['/', host, ...parts.slice(0, length)].join('/')
    const login = loginAt(`${at}/`, settings) ?? loginAt(at, settings)
    if (login !== undefined) return { authorization: login }
  }
  return {}
}

function loginAt(address: string, settings: Settings): string | undefined {
  const setting = (name: string) => settings[`${address}:${name}`]
  const [token, login, user, password] = [
    setting('_authToken'),
    setting('_auth'),
    setting('username'),
    setting('_password'),
  ]
  if (token !== undefined) return `Bearer ${token}`
  if (login !== undefined) return `Basic ${login}`
  if (user === undefined || password === undefined) return undefined
  return `Basic ${Buffer.from(`${user}:${Buffer.from(password, 'base64').toString('utf8')}`).toString('base64')}`
}

/** npm's own settings for proxies. Without them, the environment decides. */
function proxyRule(settings: Settings): ProxyRule {
  const exceptions = (settings.noproxy ?? '').split(',').map((each) => each.trim().replace(/^\.+/, ''))
  return async ({ protocol, hostname }) => {
    const key = protocol === 'https:' && settings['https-proxy'] !== undefined ? 'https-proxy' : 'proxy'
    const value = settings[key]
    if (value === undefined || value === '' || value === 'null') return undefined
    // As in npm, an exception matches the host itself and its subdomains.
    const isExcepted = exceptions.some((each) => each !== '' && `.${hostname}`.endsWith(`.${each}`))
    return isExcepted ? 'direct' : parseProxy(value, `npm's setting '${key}'`)
  }
}
