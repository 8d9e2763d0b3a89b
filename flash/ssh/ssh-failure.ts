import { UserError } from '../../errors.ts'
import type { SshProxy } from './jump.ts'

/** The host that ssh should connect to. */
export interface WantedHost {
  readonly host: string
  /** The address and the port of the host, for messages. */
  readonly at: string
  /** The address alone, as ssh names it. */
  readonly address?: string
  /** Fingerprints of the keys that are pinned for it, and their types: `ED25519`. */
  readonly pinned: readonly string[]
  readonly pinnedTypes?: readonly string[]
  readonly keyFile: string
  /** The proxy on the way. */
  readonly proxy?: SshProxy | undefined
}

type Judge = (wanted: WantedHost, stderr: string) => UserError | undefined

/**
 * ssh ends with 255 for each of its own failures; only its stderr tells them apart. A failure of this machine comes before
 * one of the network, so that no message presents it as an answer of the network or of the host.
 */
export function sshFailure(wanted: WantedHost, stderr: string): UserError {
  for (const judge of JUDGES) {
    const error = judge(wanted, stderr)
    if (error !== undefined) return error
  }
  return noKnownReason(wanted, lastLine(stderr))
}

export function unreachable({ host, at }: Pick<WantedHost, 'host' | 'at'>, reason: string): UserError {
  return new UserError('unreachable', `cannot reach '${host}' (${at}): ${reason || 'the connection broke'}`, {
    hint: `check the address in hosts/${host}.ts, power and network, then: npm run status ${host}. A lost connection does not stop the host`,
  })
}

/** The code is 'unreachable' so that an update tries again, but the hint suggests nothing about host and network. */
function noKnownReason({ host, at }: WantedHost, reason: string): UserError {
  const why = reason === '' ? 'ssh ended without a reason' : `ssh ended with: ${reason}`
  return new UserError('unreachable', `cannot reach '${host}' (${at}): ${why}`, {
    hint: `the message is from ssh on this machine. Ask the host again: npm run status ${host}`,
  })
}

const noUser: Judge = ({ host }, stderr) => {
  const [, uid] = /No user exists for uid (\d+)/.exec(stderr) ?? []
  if (uid === undefined) return undefined
  return new UserError(
    'program',
    `ssh cannot run for '${host}': user ${uid} has no entry in /etc/passwd of this machine`,
    {
      hint: `add an entry: useradd --uid ${uid} NAME. In a container: docker run with --volume /etc/passwd:/etc/passwd:ro`,
    },
  )
}

/** Failures of this machine before or beside the connection. */
const LOCAL = [
  /Bad owner or permissions on/,
  /Bad configuration option|bad configuration options|extra arguments at end of line|Can't open user config file/,
  /unknown key %|percent_expand|percent_dollar_expand/,
  /unix_listener|too long for Unix domain socket|muxserver_listen: bind/,
  /Too many open files|Cannot allocate memory|Resource temporarily unavailable|fork failed|pipe failed/,
  /No space left on device|Read-only file system|OpenSSL version mismatch/,
  /connect to host \S+ port \d+: (Permission denied|Operation not permitted|Cannot assign requested address|Invalid argument)/,
  /socket: |getpwuid|exec: .*(not found|Permission denied)|command not found/,
]

const local: Judge = ({ host }, stderr) => {
  const line = stderr.split('\n').find((each) => LOCAL.some((pattern) => pattern.test(each)))
  if (line === undefined) return undefined
  const file = /Bad owner or permissions on (\S+)/.exec(line)?.[1]
  return new UserError('program', `ssh failed on this machine before it reached '${host}': ${withoutPrefix(line)}`, {
    hint:
      file === undefined
        ? 'correct the reason on this machine, then run the same command again'
        : `only the owner may write the file: chown "$(id -u)" '${file}'; chmod go-w '${file}'`,
  })
}

/** Failures at the proxy: its key, its login, its connection to the host. */
const proxyFailed: Judge = ({ host, address, proxy }, stderr) => {
  if (proxy === undefined) return undefined
  const { name, login, tryByHand } = proxy
  const [, refusedBy] = /(?:^|\n)\S+@(\S+): Permission denied \(/.exec(stderr) ?? []
  const [, unknownKey] = /No \S+ host key is known for (\S+) and/.exec(stderr) ?? []
  const [, changed] = /Host key for (\S+) has changed/.exec(stderr) ?? []
  // Without a terminal ssh does not name a host whose key is unknown. It names a host with pinned keys, so this is the proxy.
  const keyOf = unknownKey ?? changed ?? (/Host key verification failed/.test(stderr) ? name : undefined)
  if (refusedBy !== undefined && refusedBy !== address) {
    return new UserError('login', `${name}, on the way to '${host}', refuses the login`, {
      hint: `log in once by hand: ${login}. hangar asks for no password there: use a key, or an ssh-agent`,
    })
  }
  if (keyOf !== undefined && keyOf !== host) {
    const why = changed === undefined ? 'has an unknown host key' : 'shows another host key than before'
    return new UserError('host-key', `${name}, on the way to '${host}', ${why}`, {
      hint: `compare its key with the fingerprint that its owner gave you: ${login}`,
    })
  }
  const reason = lastOf(stderr, /connect to host|Could not resolve|open failed|stdio forwarding failed|timed out/)
  if (reason === undefined) return undefined
  return new UserError('unreachable', `cannot reach '${host}' by ${name}: ${reason}`, {
    hint: `try the way by hand: ${tryByHand}`,
  })
}

const hostKey: Judge = (wanted, stderr) => {
  if (!/Host key verification failed|HOST IDENTIFICATION HAS CHANGED/.test(stderr)) return undefined
  const [, type] = /No (\S+) host key is known for/.exec(stderr) ?? []
  // ssh also fails in this way when it did not find the file of pinned keys. Then the host showed nothing wrong.
  const shown = /HOST IDENTIFICATION HAS CHANGED/.test(stderr)
  const { pinnedTypes = ['ED25519'] } = wanted
  if (shown || (type !== undefined && !pinnedTypes.includes(type))) return wrongKey(wanted, stderr)
  return new UserError('program', `ssh on this machine did not use the pinned host keys of '${wanted.host}'`, {
    hint: `the host showed no wrong key. ssh writes: ${lastLine(stderr)}. Check TMPDIR and its file system: df -h "\${TMPDIR:-/tmp}"`,
  })
}

// Comes before the refused login: without a usable key, ssh also reports that the host refuses the login.
const key: Judge = (wanted, stderr) =>
  /UNPROTECTED PRIVATE KEY FILE|Load key ".*": /.test(stderr) ? keyNotUsed(wanted, stderr) : undefined

const login: Judge = (wanted, stderr) => {
  if (/Permission denied \(|Too many authentication failures/.test(stderr)) return loginRefused(wanted)
  if (!/no matching (host key|key exchange|cipher)|invalid format/.test(stderr)) return undefined
  return new UserError('login', `cannot log in to '${wanted.host}' (${wanted.at}): ${lastLine(stderr)}`, {
    hint: `check which machine answers at the address in hosts/${wanted.host}.ts`,
  })
}

/** Reasons that the network or the host gave. */
const NETWORK = [
  /connect to (host|address) .*: /,
  /Could not resolve hostname/,
  /Connection (closed|reset|timed out|refused)|Connection to .* closed|closed by remote host/,
  /kex_exchange_identification|banner exchange|ssh_exchange_identification|Broken pipe|client_loop/,
  /Timeout, server|not responding|timed out|No route to host|Network is unreachable|Host is down/,
  /mux_client|Session open refused|Control socket connect|master .* refused/,
]

const network: Judge = (wanted, stderr) =>
  NETWORK.some((pattern) => pattern.test(stderr)) ? unreachable(wanted, lastLine(stderr)) : undefined

const JUDGES: readonly Judge[] = [noUser, proxyFailed, hostKey, key, login, local, network]

function wrongKey({ host, at, pinned }: WantedHost, stderr: string): UserError {
  const offered = /SHA256:[A-Za-z0-9+/]{43}/.exec(stderr)?.[0]
  const shown = offered === undefined ? 'another host key' : `the host key ${offered}`
  return new UserError(
    'host-key',
    `the machine at ${at} is not '${host}': it shows ${shown}, wanted ${pinned.join(' or ')}`,
    {
      hint: [
        'hangar sent nothing to it. If the key was rotated from another checkout: git pull. Otherwise another machine has',
        `the address, or intercepts the connection, or '${host}' made a new identity. Compare the key with the fingerprint`,
        'on the console of the host; only if they are equal:',
        `npm run init ${host} -- --adopt ${offered ?? 'SHA256:…'}`,
      ].join(' '),
    },
  )
}

function keyNotUsed({ host, keyFile }: WantedHost, stderr: string): UserError {
  const isOpen = /UNPROTECTED PRIVATE KEY FILE/.test(stderr)
  const why = isOpen ? 'other users can read it' : (/Load key ".*": (.*)/.exec(stderr)?.[1]?.trim() ?? '')
  const isForbidden = /Permission denied|Operation not permitted/.test(why)
  const repair = isForbidden
    ? `check its owner and modes: namei -l '${keyFile}'`
    : 'the key is damaged: restore your copy of it'
  return new UserError('login', `cannot log in to '${host}': ssh does not use the key '${keyFile}': ${why}`, {
    hint: isOpen ? `chmod 600 '${keyFile}'` : repair,
  })
}

function loginRefused({ host, at, keyFile }: WantedHost): UserError {
  return new UserError('login', `'${host}' (${at}) refuses the key '${keyFile}'`, {
    hint: `the running image was built with another login key: run the command on the machine that has that key`,
  })
}

function lastLine(stderr: string): string {
  return withoutPrefix(stderr.trim().split('\n').at(-1) ?? '')
}

function lastOf(stderr: string, pattern: RegExp): string | undefined {
  const line = stderr.split('\n').findLast((each) => pattern.test(each))
  return line === undefined ? undefined : withoutPrefix(line)
}

function withoutPrefix(line: string): string {
  return line.replace(/^ssh: /, '').trim()
}
