import { UserError } from '../../errors.ts'

/** What ssh was asked to reach. */
export interface Sought {
  readonly host: string
  /** Address and port, for people. */
  readonly at: string
  /** Fingerprints of the keys that are pinned for it. */
  readonly pinned: readonly string[]
  readonly keyFile: string
}

/** ssh ended with 255: which of its failures that was is only in its own words. */
export function sshFailure(sought: Sought, complaint: string): UserError {
  if (/Host key verification failed|HOST IDENTIFICATION HAS CHANGED/.test(complaint)) return wrongKey(sought, complaint)
  // Said before the host refuses, for want of a key, whoever comes without one.
  if (/UNPROTECTED PRIVATE KEY FILE|Load key ".*": /.test(complaint)) return keyNotUsed(sought, complaint)
  if (/Permission denied \(|Too many authentication failures/.test(complaint)) return loginRefused(sought)
  if (/no matching (host key|key exchange|cipher)|Bad owner or permissions|invalid format/.test(complaint))
    return new UserError('login', `cannot log in to '${sought.host}' (${sought.at}): ${lastLine(complaint)}`, {
      hint: `is it the host? npm run status ${sought.host}`,
    })
  return unreachable(sought, lastLine(complaint))
}

export function unreachable({ host, at }: Pick<Sought, 'host' | 'at'>, reason: string): UserError {
  return new UserError('unreachable', `cannot reach '${host}' (${at}): ${reason || 'the connection broke'}`, {
    hint: `check address, power and cable, then: npm run status ${host}; whatever runs there goes on running`,
  })
}

function wrongKey({ host, at, pinned }: Sought, complaint: string): UserError {
  const offered = /SHA256:[A-Za-z0-9+/]{43}/.exec(complaint)?.[0]
  const shown = offered === undefined ? 'another host key' : `the host key ${offered}`
  return new UserError('host-key', `${at} is not '${host}': it shows ${shown}, pinned is ${pinned.join(', ')}`, {
    hint: [
      'its key was renewed from another copy of the project (git pull), or another machine has the address, or the host',
      'was set up anew, or somebody is in between; nothing was sent to it.',
      'If git pull brings no key that fits, compare with the fingerprint on its console; only if they are the same:',
      `npm run init ${host} -- --adopt ${offered ?? 'SHA256:…'}`,
    ].join(' '),
  })
}

function keyNotUsed({ host, keyFile }: Sought, complaint: string): UserError {
  const isOpen = /UNPROTECTED PRIVATE KEY FILE/.test(complaint)
  const why = isOpen ? 'others than its owner may read it' : (/Load key ".*": (.*)/.exec(complaint)?.[1] ?? '')
  return new UserError('login', `cannot log in to '${host}': ssh does not use the key '${keyFile}': ${why}`, {
    hint: isOpen ? `chmod 600 '${keyFile}'` : 'it is damaged: bring your copy of it',
  })
}

function loginRefused({ host, at, keyFile }: Sought): UserError {
  return new UserError('login', `'${host}' (${at}) refuses the key '${keyFile}'`, {
    hint: `the image that runs there was built with another owner's key: use that one, or flash '${host}' from the machine that has it`,
  })
}

function lastLine(complaint: string): string {
  return (
    complaint
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^ssh: /, '')
      .trim() ?? ''
  )
}
