import { type PrivateIdentity, publicLine } from './private-identity.ts'

/** An entry of the identity's tar, as `lib/tar.ts` takes it. */
export interface IdentityMember {
  readonly name: string
  readonly type: 'file' | 'directory'
  readonly mode: number
  readonly content?: { readonly text: string }
}

/** The facts with which a host checks an update that it receives. */
export interface Trust {
  /** Public keys that may sign an update, in OpenSSH's format. */
  readonly signing: readonly string[]
  /** The serial of the image on the disk. The host refuses an image with a smaller serial. */
  readonly serial: { readonly time: number; readonly number: number }
}

const HOST_KEY = 'ssh_host_ed25519_key'

/**
 * The files on a host's identity partition, in the layout of overlays/device/system/identity.sh. It keeps the old keys, so
 * that a reverted slot can still decrypt its secrets. The list of revoked keys is empty.
 */
export function identityMembers(identity: PrivateIdentity, trust: Trust): IdentityMember[] {
  const { ssh, age, machineId, host } = identity
  return [
    ...[directory('ssh'), ...(ssh.length > 1 ? [directory('ssh/old')] : [])],
    ...ssh.flatMap((key, index) => hostKey(index === 0 ? HOST_KEY : `old/${HOST_KEY}.${index}`, key, host)),
    file('machine-id', 0o644, `${machineId}\n`),
    directory('age'),
    ...age.map((key, index) => file(index === 0 ? 'age/key' : `age/key.${index}`, 0o600, `${key.identity}\n`)),
    file('age/recipients', 0o644, age.map((key) => `${key.recipient}\n`).join('')),
    directory('trust'),
    file('trust/signing', 0o644, trust.signing.map((line) => `${line}\n`).join('')),
    file('trust/revoked', 0o644, ''),
    file('trust/serial', 0o644, `${trust.serial.time} ${trust.serial.number}\n`),
  ]
}

function hostKey(name: string, privateKey: string, host: string): IdentityMember[] {
  return [file(`ssh/${name}`, 0o600, privateKey), file(`ssh/${name}.pub`, 0o644, `${publicLine(privateKey)} ${host}\n`)]
}

function directory(name: string): IdentityMember {
  return { name: `./${name}/`, type: 'directory', mode: 0o700 }
}

function file(name: string, mode: number, text: string): IdentityMember {
  return { name: `./${name}`, type: 'file', mode, content: { text } }
}
