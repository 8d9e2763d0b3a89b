import { UserError } from '../../errors.ts'

/** The host that ssh should connect to. */
export interface WantedHost {
  readonly host: string
  /** The address and the port of the host, for messages. */
  readonly at: string
  /** The fingerprints of the host keys that hangar accepts from this host. */
  readonly pinned: readonly string[]
  readonly keyFile: string
}

/** Finds the cause of an ssh failure in stderr, because ssh ends with status 255 for all of its own failures. */
export function sshFailure(wanted: WantedHost, stderr: string): UserError {
  if (/Host key verification failed|HOST IDENTIFICATION HAS CHANGED/.test(stderr)) return wrongKey(wanted, stderr)
  // Recognises an unusable key file before a refused login: without a key, ssh reports both.
  if (/UNPROTECTED PRIVATE KEY FILE|Load key ".*": /.test(stderr)) return keyNotUsed(wanted, stderr)
  if (/Permission denied \(|Too many authentication failures/.test(stderr)) return loginRefused(wanted)
  if (/no matching (host key|key exchange|cipher)|Bad owner or permissions|invalid format/.test(stderr))
    return new UserError('login', `cannot log in to '${wanted.host}' (${wanted.at}): ${lastLine(stderr)}`, {
      hint: `check which machine answers at the address in hosts/${wanted.host}.ts`,
    })
  return unreachable(wanted, lastLine(stderr))
}

export function unreachable({ host, at }: Pick<WantedHost, 'host' | 'at'>, reason: string): UserError {
  return new UserError('unreachable', `cannot reach '${host}' (${at}): ${reason || 'the connection broke'}`, {
    hint: `check the address in hosts/${host}.ts, power and network, then: npm run status ${host}. A lost connection does not stop the host`,
  })
}

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
  const why = isOpen ? 'other users can read it' : (/Load key ".*": (.*)/.exec(stderr)?.[1] ?? '')
  return new UserError('login', `cannot log in to '${host}': ssh does not use the key '${keyFile}': ${why}`, {
    hint: isOpen ? `chmod 600 '${keyFile}'` : 'the key is damaged: restore your copy of it',
  })
}

function loginRefused({ host, at, keyFile }: WantedHost): UserError {
  return new UserError('login', `'${host}' (${at}) refuses the key '${keyFile}'`, {
    hint: `the running image was built with another login key: run the command on the machine that has that key`,
  })
}

function lastLine(stderr: string): string {
  return (
    stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^ssh: /, '')
      .trim() ?? ''
  )
}
