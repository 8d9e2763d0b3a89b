import { UserError } from '../../errors.ts'
import type { Address } from './address.ts'

export interface SshTarget {
  readonly host: string
  readonly at: Address
  /** The path of the owner's private key. */
  readonly keyFile: string
  /** The directory for the files of this connection. */
  readonly directory: string
}

export const knownHostsFile = (directory: string) => `${directory}/known_hosts`
export const controlSocket = (directory: string) => `${directory}/control`

/** Makes ssh ignore the user's ssh configuration, ssh-agent and known hosts. */
export function sshOptions({ host, at, keyFile, directory }: SshTarget): string[] {
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
      // Both options together end the connection to a dead host after half a minute.
      ServerAliveInterval: '10',
      ServerAliveCountMax: '3',
      ControlPath: controlSocket(directory),
    }),
  ]
}

/** All calls share one connection. ssh closes it 30 s after the last call, even if this program was killed. */
export function callArguments(target: SshTarget, words: readonly string[]): string[] {
  const shared = options({ ControlMaster: 'auto', ControlPersist: '30' })
  return [...sshOptions(target), ...shared, '--', target.at.address, words.map(quoted).join(' ')]
}

export function exitArguments(target: SshTarget): string[] {
  return [...sshOptions(target), '-O', 'exit', '--', target.at.address]
}

function options(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** Quotes a word for the shell of the host, because ssh passes the command as one line. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A public key of a host as `ssh-keygen` writes it, with an optional comment. */
const PUBLIC_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/

/** The text of a `known_hosts` file with only the pinned keys of one host. */
export function knownHosts(host: string, keys: readonly string[]): string {
  if (keys.length === 0) {
    throw new UserError('host-key', `the project has no host key of '${host}', so hangar cannot recognise the host`, {
      hint: `for a new host: npm run init ${host}. For a host that made its own identity: npm run init ${host} -- --adopt SHA256:… (the fingerprint on its console)`,
    })
  }
  return keys.map((key) => `${host} ${fieldsOf(host, key).join(' ')}\n`).join('')
}

function fieldsOf(host: string, key: string): [type: string, blob: string] {
  const [, type, blob] = PUBLIC_KEY.exec(key.trim()) ?? []
  if (type !== undefined && blob !== undefined) return [type, blob]
  throw new UserError('host-key', `the identity of '${host}' has the host key '${key}', wanted 'ssh-ed25519 AAAA…'`, {
    hint: `restore the file: git restore hosts/${host}.identity.json`,
  })
}
