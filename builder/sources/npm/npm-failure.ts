import { UserError } from '../../../errors.ts'
import { withoutLogin } from './fetch-failure.ts'

interface Reported {
  readonly code: string
  readonly summary: string
}

/** The error for a run of npm that failed. `where` is the path of `package.json`. */
export function npmFailure(output: string, where: string): UserError {
  const { code, summary } = reported(output)
  const text = withoutLogin(summary).split('\n').slice(0, LINES).join('\n  ')
  return new UserError(
    CODES[code] ?? 'lock',
    `npm cannot resolve the packages of '${where}': ${code === '' ? '' : `${code}: `}${text}`,
    { hint: HINTS[code] ?? OTHERWISE },
  )
}

/** npm's texts about conflicts are long. */
const LINES = 12

/** npm reports the error as JSON on its standard output, beside its messages for people. */
function reported(output: string): Reported {
  const [json] = /\{\s*"error":[\s\S]*\}/.exec(output) ?? []
  try {
    const { code, summary } = (JSON.parse(json ?? '') as { error: Partial<Reported> }).error
    if (typeof summary === 'string' && summary !== '') return { code: String(code ?? ''), summary }
  } catch {
    // npm ended before it could write its report.
  }
  return { code: '', summary: output.trim().split('\n').slice(-LINES).join('\n') || 'npm said nothing' }
}

const NETWORK = "check the network and npm's setting of the registry: npm config get registry"
const LOGIN = 'log in to the registry: npm login; or correct the token in .npmrc'
const PAGE = `${NETWORK}; it may answer with a web page, as a proxy that wants a login does`

const CODES: Readonly<Record<string, 'fetch'>> = Object.fromEntries(
  [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'ECONNRESET',
    'ERR_SOCKET_TIMEOUT',
    'FETCH_ERROR',
    'E401',
    'E403',
    'E404',
    'E500',
    'E502',
    'E503',
    'E504',
  ].map((code) => [code, 'fetch'] as const),
)

const HINTS: Readonly<Record<string, string>> = {
  E404: 'correct the name in package.json: a registry has no list of names to look for a similar one; or set the registry of a scope in .npmrc',
  ETARGET: 'correct the range in package.json: npm view NAME versions lists the versions',
  ERESOLVE: "change the ranges in package.json, or add 'overrides', until no two packages conflict",
  E401: LOGIN,
  E403: LOGIN,
  FETCH_ERROR: PAGE,
  EINVALIDPACKAGENAME: 'correct the name in package.json',
  EINVALIDTAGNAME: 'correct the range in package.json',
}

const OTHERWISE = NETWORK
