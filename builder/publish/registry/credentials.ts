import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { run } from '../../../lib/subprocess.ts'

/** A login. hangar never puts the password into a message. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

interface ConfigFile {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

/**
 * The login for a registry: from HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD, otherwise from `podman login` or
 * `docker login`. Undefined if there is no login: hangar then sends anonymous requests.
 */
export async function credentialsFor(
  registry: string,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const { HANGAR_REGISTRY_USER: user, HANGAR_REGISTRY_PASSWORD: password } = env
  if (user && password) return { user, password }
  if (user || password) throw halfSet(user ? 'HANGAR_REGISTRY_PASSWORD' : 'HANGAR_REGISTRY_USER')
  for (const file of configFiles(env)) {
    const config = readConfig(file)
    const found = storedIn(config, registry, name, file) ?? (await fromHelper(config, registry, env))
    if (found !== undefined) return found
  }
  return undefined
}

/** The files with stored logins, in the search order of podman and skopeo. */
function configFiles(env: NodeJS.ProcessEnv): string[] {
  if (env.REGISTRY_AUTH_FILE) return [env.REGISTRY_AUTH_FILE]
  const home = env.HOME || '/root'
  return [
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'containers/auth.json')] : []),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ].filter((file) => existsSync(file))
}

function readConfig(file: string): ConfigFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ConfigFile
  } catch {
    // Drops the error of JSON.parse, because its message may quote a password from the file.
    throw new UserError('registry', `cannot read the logins in '${file}'`, {
      hint: 'delete the file, then log in again: podman login REGISTRY, or docker login REGISTRY',
    })
  }
}

/**
 * The stored login with the longest matching prefix of the repository name, because podman can store a login for a part
 * of a registry.
 */
function storedIn({ auths = {} }: ConfigFile, registry: string, name: string, file: string): Credentials | undefined {
  const parts = name.split('/')
  const names = parts.map((_, count) => [registry, ...parts.slice(0, parts.length - count)].join('/'))
  for (const key of [...names, registry, `https://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`]) {
    const { auth, identitytoken } = auths[key] ?? {}
    if (identitytoken) throw noIdentityTokens(registry, file)
    const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? []
    if (user && password) return { user, password }
  }
  return undefined
}

/** Runs a credential helper by the protocol of docker-credential-helpers: registry on stdin, JSON on stdout. */
async function fromHelper(
  { credHelpers = {}, credsStore }: ConfigFile,
  registry: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const helper = credHelpers[registry] ?? credsStore
  if (!helper || !/^[\w.-]+$/.test(helper)) return undefined
  const program = `docker-credential-${helper}`
  const inherited = Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined)
  const { exitCode, output } = await run(program, ['get'], { env: Object.fromEntries(inherited), input: registry })
  // The error message of a credential helper that has no login for the registry.
  if (exitCode !== 0 && /not found/i.test(output)) return undefined
  const { Username: user, Secret: password } = exitCode === 0 ? parseAnswer(output, program) : noAnswer(program)
  if (user === '<token>') throw noIdentityTokens(registry, program)
  return user && password ? { user, password } : undefined
}

function parseAnswer(output: string, program: string): { Username?: string; Secret?: string } {
  try {
    return JSON.parse(output) as { Username?: string; Secret?: string }
  } catch {
    return noAnswer(program)
  }
}

/** The error does not quote the output, which may contain a password. */
function noAnswer(program: string): never {
  throw new UserError('registry', `'${program} get' returned no login`, {
    hint: `to see why, run: echo REGISTRY | ${program} get; or set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD`,
  })
}

function noIdentityTokens(registry: string, where: string): UserError {
  return new UserError(
    'registry',
    `the login for '${registry}' in '${where}' is an identity token, wanted a password`,
    {
      hint: 'create an access token at the registry, and set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD',
    },
  )
}

function halfSet(missing: string): UserError {
  return new UserError('registry', `${missing} is not set, but the other variable of the login is set`, {
    hint: 'set both HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD, or neither',
  })
}
