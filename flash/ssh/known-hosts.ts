import { UserError } from '../../errors.ts'

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
