import { UserError } from '../../../errors.ts'
import { answerError, follow, isTransient, type Request, textOf } from '../../../lib/http.ts'
import { parseChallenge } from './challenge.ts'
import type { Credentials } from './credentials.ts'

export interface AuthorizationFacts {
  readonly registry: string
  /** The name of the repository in the registry. */
  readonly name: string
  readonly actions: 'pull' | 'pull,push'
  /** Refuses a token server without TLS, because the network could read the password. */
  readonly transport: 'https' | 'http'
  readonly credentials: () => Promise<Credentials | undefined>
  readonly request: Request
}

const TOKEN_LIMIT = 64 * 1024

/** Keeps the `Authorization` header for a registry. Sends no header before the first 401. */
export class Authorization {
  private header: string | undefined
  private renewal: Promise<string> | undefined
  private readonly facts: AuthorizationFacts

  constructor(facts: AuthorizationFacts) {
    this.facts = facts
  }

  current(): string | undefined {
    return this.header
  }

  /** Returns a new header after the registry refused the given one. Concurrent requests share one renewal. */
  async renew(refused: string | undefined, challenge: string | undefined): Promise<string> {
    if (this.header !== undefined && this.header !== refused) return this.header
    this.renewal ??= this.answer(challenge).finally(() => {
      this.renewal = undefined
    })
    this.header = await this.renewal
    return this.header
  }

  private async answer(header: string | undefined): Promise<string> {
    const { registry, credentials } = this.facts
    const challenge = parseChallenge(header)
    const login = await credentials()
    if (challenge === undefined) {
      throw new UserError('registry', `'${registry}' wants an authentication scheme that hangar does not support`, {
        hint: `the registry wants '${header ?? ''}'; hangar supports Basic and Bearer`,
      })
    }
    if (challenge.scheme === 'basic') {
      if (login === undefined) throw noLogin(registry)
      return basic(login)
    }
    return `Bearer ${await this.token(challenge, login)}`
  }

  private async token(
    { realm, service, scope }: { realm: string; service?: string; scope?: string },
    login: Credentials | undefined,
  ): Promise<string> {
    const { registry, name, actions, transport, request } = this.facts
    const url = URL.canParse(realm) ? new URL(realm) : undefined
    if (url === undefined || (url.protocol !== 'https:' && transport === 'https')) {
      throw new UserError('registry', `'${registry}' names the token server '${realm}', wanted an https server`, {
        hint: 'hangar sent no password; ask the administrator of the registry',
      })
    }
    if (service !== undefined) url.searchParams.set('service', service)
    // Skips the scope of this repository, which the request already has. Registries write its actions in different
    // orders.
    const others = (scope ?? '').split(' ').filter((each) => each !== '' && !each.startsWith(`repository:${name}:`))
    for (const each of [`repository:${name}:${actions}`, ...others]) url.searchParams.append('scope', each)
    const headers = login === undefined ? {} : { authorization: basic(login) }
    const response = await follow(url.href, { ...request, headers })
    const text = await textOf(response, TOKEN_LIMIT, request)
    const { statusCode: status = 0 } = response
    if (isTransient(status)) throw answerError(response)
    if (status !== 200) throw login === undefined ? noLogin(registry) : refused(registry, login)
    return tokenIn(text, registry)
  }
}

function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function tokenIn(text: string, registry: string): string {
  let answer: { token?: unknown; access_token?: unknown } = {}
  try {
    answer = JSON.parse(text) as typeof answer
  } catch {
    // The error below does not quote the answer, because the answer may contain a token.
  }
  const token = answer.token ?? answer.access_token
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new UserError('registry', `the token server of '${registry}' returned no token`, {
    hint: 'try again, or ask the administrator of the registry',
  })
}

function noLogin(registry: string): UserError {
  return new UserError('registry', `'${registry}' wants a login, but hangar has no login for this registry`, {
    hint: `log in with podman login ${registry} or docker login ${registry}, or set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD`,
  })
}

function refused(registry: string, { user }: Pick<Credentials, 'user'>): UserError {
  return new UserError('registry', `'${registry}' refused the login of '${user}'`, {
    hint: `check the password and the permissions of '${user}': podman login ${registry}`,
  })
}
