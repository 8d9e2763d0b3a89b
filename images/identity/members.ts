import { type PrivateIdentity, publicLine } from './private-identity.ts'

/** A member of the identity's tar, in the form that a writer of tars takes. */
export interface IdentityMember {
  readonly name: string
  readonly type: 'file' | 'directory'
  readonly mode: number
  readonly content?: { readonly text: string }
}

/** Whom a host believes when it is updated. */
export interface Trust {
  /** Public keys as OpenSSH writes them. */
  readonly signing: readonly string[]
  /** Of the image that is written: nothing that is older is accepted. */
  readonly serial: { readonly time: number; readonly number: number }
}

const HOST_KEY = 'ssh_host_ed25519_key'

/**
 * What is on a host's identity partition, as overlays/device/system/identity.sh unpacks it. Old keys stay: a reverted slot
 * still decrypts what was encrypted to them. Nothing is revoked yet.
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
