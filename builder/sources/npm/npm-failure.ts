import { UserError } from '../../../errors.ts'
import { LOGIN_HINT, NETWORK_HINT, withoutLogins } from './messages.ts'

interface Reported {
  readonly code: string
  readonly summary: string
}

/** The error for a run of npm that failed. `where` is the path of `package.json`. */
export function npmFailure(output: string, where: string): UserError {
  const { code, summary } = reported(output)
  const text = withoutLogins(summary).split('\n').slice(0, LINES).join('\n  ')
  return new UserError(
    FETCH_CODES.has(code) ? 'fetch' : 'lock',
    `npm cannot resolve the packages of '${where}': ${code === '' ? '' : `${code}: `}${text}`,
    { hint: HINTS[code] ?? NETWORK_HINT },
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

const PAGE_HINT = `${NETWORK_HINT}; it may answer with a web page, as a proxy that wants a login does`

/** npm's codes for a registry that does not answer, or that answers with an error. */
const FETCH_CODES: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ECONNRESET', 'ERR_SOCKET_TIMEOUT', 'FETCH_ERROR'],
  ...['E401', 'E403', 'E404', 'E500', 'E502', 'E503', 'E504'],
])

const HINTS: Readonly<Record<string, string>> = {
  E404: 'correct the name in package.json: a registry has no list of names to look for a similar one; or set the registry of a scope in .npmrc',
  ETARGET: 'correct the range in package.json: npm view NAME versions lists the versions',
  ERESOLVE: "change the ranges in package.json, or add 'overrides', until no two packages conflict",
  E401: LOGIN_HINT,
  E403: LOGIN_HINT,
  FETCH_ERROR: PAGE_HINT,
  EINVALIDPACKAGENAME: 'correct the name in package.json',
  EINVALIDTAGNAME: 'correct the range in package.json',
}
