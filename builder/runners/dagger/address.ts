import { UserError } from '../../../errors.ts'
import { WITHOUT_ENGINE } from './engine-failure.ts'

/** Where an engine is, and how hangar reaches it. `name` is the address in messages, as the user wrote it. */
export type EngineAddress =
  /** An open session of another program. */
  | { readonly kind: 'session'; readonly name: string; readonly port: number; readonly token: string }
  | { readonly kind: 'socket'; readonly name: string; readonly path: string }
  | { readonly kind: 'tcp'; readonly name: string; readonly host: string; readonly port: number }
  /** A running engine that the CLI reaches by way of another program: docker, ssh or kubectl. */
  | { readonly kind: 'through-program'; readonly name: string }
  /** An engine that the CLI downloads and starts with a container engine. */
  | { readonly kind: 'image'; readonly name: string }

const VARIABLE = '_EXPERIMENTAL_DAGGER_RUNNER_HOST'

/** The schemes of addresses that Dagger's CLI knows (engine/client/drivers). */
const IMAGE = /^(docker-)?image(\+\w+)?$/
const THROUGH_PROGRAM = /^(docker-container|container(\+\w+)?|ssh|kube-pod|dagger-cloud)$/

/** The engine that the environment names. Throws 'engine' for an address that cannot work. */
export function engineAddress(env: NodeJS.ProcessEnv): EngineAddress {
  if (env.DAGGER_SESSION_PORT) return sessionAddress(env.DAGGER_SESSION_PORT, env.DAGGER_SESSION_TOKEN)
  const name = env[VARIABLE]
  if (!name) return { kind: 'image', name: 'a container engine' }
  const [, scheme = '', rest = ''] = /^([^:/]+):\/\/(.*)$/s.exec(name) ?? []
  if (scheme === 'unix') return socketAddress(name, rest)
  if (scheme === 'tcp' || scheme === 'tls') return tcpAddress(name, scheme, rest)
  if (IMAGE.test(scheme)) return { kind: 'image', name }
  if (THROUGH_PROGRAM.test(scheme)) return { kind: 'through-program', name }
  const problem = scheme === '' ? 'it has no scheme' : `Dagger's CLI does not know the scheme '${scheme}'`
  throw unusable(name, problem, guess(name))
}

function sessionAddress(port: string, token: string | undefined): EngineAddress {
  if (!isPort(port)) {
    throw new UserError('engine', `DAGGER_SESSION_PORT is '${port}', wanted the port of an open session`, {
      hint: `unset DAGGER_SESSION_PORT, or ${WITHOUT_ENGINE}`,
    })
  }
  if (token) return { kind: 'session', name: `127.0.0.1:${port}`, port: Number(port), token }
  throw new UserError('engine', `DAGGER_SESSION_PORT is '${port}', but DAGGER_SESSION_TOKEN is empty`, {
    hint: `set DAGGER_SESSION_TOKEN, or unset DAGGER_SESSION_PORT; or ${WITHOUT_ENGINE}`,
  })
}

/** Characters that Go's net/url leaves as they are: the CLI would look for another file. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-_.~$&+,/:;=@!'()*]+$/

function socketAddress(name: string, path: string): EngineAddress {
  if (PLAIN_PATH.test(path)) return { kind: 'socket', name, path }
  if (path.startsWith('/') && path.length > 1) {
    throw unusable(name, "Dagger's CLI encodes special characters of a socket's path", 'unix:///run/dagger/engine.sock')
  }
  throw unusable(name, 'the path of a socket is absolute', `unix:///${path || 'run/dagger/engine.sock'}`)
}

function tcpAddress(name: string, scheme: string, rest: string): EngineAddress {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:/?#[\]\s]+)):(\d+)\/?$/.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && isPort(port)) return { kind: 'tcp', name, host, port: Number(port) }
  throw unusable(name, 'it needs a host and a port', `${scheme}://${/^[\w.-]+/.exec(rest)?.[0] ?? 'builder'}:8080`)
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) < 65536
}

/** The address that the user probably means. */
function guess(name: string): string {
  const rest = name.replace(/^[^:/]*:\/+/, '')
  if (name.startsWith('/')) return `unix://${name}`
  if (/^[\w.-]+:\d+$/.test(rest)) return `tcp://${rest}`
  return /^[\w.-]+$/.test(rest) ? `tcp://${rest}:8080` : 'unix:///run/dagger/engine.sock'
}

function unusable(name: string, problem: string, instead: string): UserError {
  return new UserError('engine', `${VARIABLE} is '${name}': ${problem}`, {
    hint: `for example: ${VARIABLE}=${instead}. ${FORMS}; or ${WITHOUT_ENGINE}`,
  })
}

/** The forms of addresses, for hints. */
export const FORMS = 'An address is unix:///PATH, tcp://HOST:PORT, container://NAME, ssh://HOST or kube-pod://NAME'
