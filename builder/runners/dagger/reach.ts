import { statSync } from 'node:fs'
import { connect, type NetConnectOpts } from 'node:net'
import { UserError } from '../../../errors.ts'
import { type EngineAddress, FORMS } from './address.ts'
import { WITHOUT_ENGINE } from './engine-failure.ts'

export interface Reaching {
  readonly signal: AbortSignal
  /** The time for a connection, in milliseconds. */
  readonly timeout: number
}

/**
 * Connects to the address of an engine, and disconnects. Throws 'engine' with the reason of the system. The CLI would
 * try forever and would not tell the reason.
 */
export async function requireReachable(address: EngineAddress, reaching: Reaching): Promise<void> {
  const problem = await connectionProblem(address, reaching)
  if (problem === undefined) return
  throw new UserError('engine', `cannot reach the Dagger engine at '${address.name}': ${problem.reason}`, {
    hint: `${remedy(address, problem.code)}; or ${WITHOUT_ENGINE}`,
    cause: problem.cause,
  })
}

interface Problem {
  readonly code: string
  readonly reason: string
  readonly cause?: unknown
}

/** The reason why a connection fails. Undefined: it succeeds, or only the CLI can connect. */
export async function connectionProblem(address: EngineAddress, reaching: Reaching): Promise<Problem | undefined> {
  const target = targetOf(address)
  if (target === undefined) return undefined
  try {
    await connected(target, reaching)
    return undefined
  } catch (error) {
    reaching.signal.throwIfAborted()
    return problemOf(address, error as NodeJS.ErrnoException)
  }
}

function targetOf(address: EngineAddress): NetConnectOpts | undefined {
  switch (address.kind) {
    case 'session':
      return { host: '127.0.0.1', port: address.port }
    case 'tcp':
      return { host: address.host, port: address.port }
    case 'socket':
      return { path: address.path }
    default:
      return undefined
  }
}

function connected(target: NetConnectOpts, { signal, timeout }: Reaching): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(target)
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      socket.destroy()
      settle()
    }
    const stop = () => end(() => reject(signal.reason))
    const late = () => end(() => reject(Object.assign(new Error(`none within ${timeout / 1000} s`), { code: LATE })))
    const timer = setTimeout(late, timeout)
    signal.addEventListener('abort', stop, { once: true })
    socket.once('connect', () => end(resolve)).once('error', (error) => end(() => reject(error)))
    if (signal.aborted) stop()
  })
}

/** The code of a connection that did not come in time. */
export const LATE = 'LATE'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EAI_AGAIN: 'the name servers do not answer for this host',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  ENOENT: 'the socket does not exist',
  ENOTDIR: 'the socket does not exist',
  ENOTFOUND: 'unknown host',
  EPERM: 'operation not permitted',
  ETIMEDOUT: 'the host does not answer',
}

function problemOf(address: EngineAddress, error: NodeJS.ErrnoException): Problem {
  const { code = '' } = error
  if (code === LATE) return { code, reason: `no connection: ${error.message}`, cause: error }
  if (address.kind === 'socket' && code === 'ECONNREFUSED' && !isSocket(address.path)) {
    return { code: 'ENOTSOCK', reason: 'it is not a socket', cause: error }
  }
  const words = REASONS[code]
  return { code, reason: words === undefined ? error.message || code : `${words} (${code})`, cause: error }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
}

function remedy(address: EngineAddress, code: string): string {
  if (address.kind === 'session') return 'unset DAGGER_SESSION_PORT: its session has ended'
  if (code === 'EACCES' && address.kind === 'socket')
    return `allow this user to write to the socket: ls -l '${address.path}'`
  return `start the engine, or correct _EXPERIMENTAL_DAGGER_RUNNER_HOST. ${FORMS}`
}
