import { UserError } from '../../errors.ts'
import type { Address } from './address.ts'

export interface SshPlace {
  readonly host: string
  readonly at: Address
  /** The owner's private key. */
  readonly keyFile: string
  /** Directory of the connection's own files. */
  readonly directory: string
}

export const knownHostsFile = (directory: string) => `${directory}/known_hosts`
export const controlSocket = (directory: string) => `${directory}/control`

/** Nothing of the configuration, the agent or the known hosts of whoever types the command decides anything. */
export function sshOptions({ host, at, keyFile, directory }: SshPlace): string[] {
  return [
    ...['-F', 'none', '-T', '-l', 'root', '-p', String(at.port), '-i', keyFile],
    ...options({
      BatchMode: 'yes',
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      HostKeyAlias: host,
      StrictHostKeyChecking: 'yes',
      UserKnownHostsFile: knownHostsFile(directory),
      GlobalKnownHostsFile: '/dev/null',
      UpdateHostKeys: 'no',
      VerifyHostKeyDNS: 'no',
      ConnectTimeout: '10',
      // A dead host is noticed after half a minute.
      ServerAliveInterval: '10',
      ServerAliveCountMax: '3',
      ControlPath: controlSocket(directory),
    }),
  ]
}

/** One connection for all calls. Where this program is killed, it ends by itself soon after. */
export function callArguments(place: SshPlace, words: readonly string[]): string[] {
  const shared = options({ ControlMaster: 'auto', ControlPersist: '30' })
  return [...sshOptions(place), ...shared, '--', place.at.address, words.map(quoted).join(' ')]
}

export function exitArguments(place: SshPlace): string[] {
  return [...sshOptions(place), '-O', 'exit', '--', place.at.address]
}

function options(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** ssh hands the host's shell one line. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A public key of a host as `ssh-keygen` writes it; comments are left out. */
const PUBLIC_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/

/** The text of a `known_hosts` file that holds a host's pinned keys and nothing else. */
export function knownHosts(host: string, keys: readonly string[]): string {
  if (keys.length === 0) {
    throw new UserError('host-key', `no host key of '${host}' is known: it could not be told from another machine`, {
      hint: `make its identity: npm run init ${host}; where it runs already: npm run init ${host} -- --adopt SHA256:…`,
    })
  }
  return keys.map((key) => `${host} ${fieldsOf(host, key).join(' ')}\n`).join('')
}

function fieldsOf(host: string, key: string): [type: string, blob: string] {
  const [, type, blob] = PUBLIC_KEY.exec(key.trim()) ?? []
  if (type !== undefined && blob !== undefined) return [type, blob]
  throw new UserError('host-key', `the identity of '${host}' has the host key '${key}', wanted 'ssh-ed25519 AAAA…'`, {
    hint: `restore hosts/${host}.identity.json from git`,
  })
}
