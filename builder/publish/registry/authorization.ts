import { UserError } from '../../../errors.ts'
import { follow, type Request, statusError, textOf } from '../../../lib/http.ts'
import { parseChallenge } from './challenge.ts'
import type { Credentials } from './credentials.ts'

export interface AuthorizationFacts {
  readonly registry: string
  /** The repository's name. */
  readonly name: string
  readonly actions: 'pull' | 'pull,push'
  /** Whether a password may go over a connection that anybody can read. */
  readonly transport: 'https' | 'http'
  readonly credentials: () => Promise<Credentials | undefined>
  readonly request: Request
}

const TOKEN_LIMIT = 64 * 1024

/** What a registry is shown with every request, once it has said what it wants to see. */
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

  /** Another header than the one that was refused; many requests that are refused at once ask for it once. */
  async renew(refused: string | undefined, challenge: string | undefined): Promise<string> {
    if (this.header !== undefined && this.header !== refused) return this.header
    this.renewal ??= this.meet(challenge).finally(() => {
      this.renewal = undefined
    })
    this.header = await this.renewal
    return this.header
  }

  private async meet(header: string | undefined): Promise<string> {
    const { registry, credentials } = this.facts
    const challenge = parseChallenge(header)
    const login = await credentials()
    if (challenge === undefined) {
      throw new UserError('registry', `'${registry}' asks for a login of a kind that hangar does not know`, {
        hint: `it says '${header ?? ''}', wanted Basic or Bearer`,
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
      throw new UserError('registry', `'${registry}' sends logins to '${realm}', wanted a server by https`, {
        hint: 'nothing was sent; ask whoever runs it',
      })
    }
    if (service !== undefined) url.searchParams.set('service', service)
    // What it says of this repository says no more than we do, in an order of its own.
    const others = (scope ?? '').split(' ').filter((each) => each !== '' && !each.startsWith(`repository:${name}:`))
    for (const each of [`repository:${name}:${actions}`, ...others]) url.searchParams.append('scope', each)
    const headers = login === undefined ? {} : { authorization: basic(login) }
    const response = await follow(url.href, { ...request, headers })
    const text = await textOf(response, TOKEN_LIMIT, request)
    const { statusCode: status = 0 } = response
    if (status >= 500 || status === 429) throw statusError(status)
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
    // An answer that is none is said below; it may hold half a token.
  }
  const token = answer.token ?? answer.access_token
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new UserError('registry', `the server that '${registry}' sends logins to gives no token`, {
    hint: 'try again; if it stays so, ask whoever runs the registry',
  })
}

function noLogin(registry: string): UserError {
  return new UserError('registry', `'${registry}' asks who you are, and no login for it is known`, {
    hint: `podman login ${registry}, or docker login ${registry}, or set HANGAR_REGISTRY_USER and HANGAR_REGISTRY_PASSWORD`,
  })
}

function refused(registry: string, { user }: Pick<Credentials, 'user'>): UserError {
  return new UserError('registry', `'${registry}' refuses the login of '${user}'`, {
    hint: `check the password, and what '${user}' may do there: podman login ${registry}`,
  })
}
