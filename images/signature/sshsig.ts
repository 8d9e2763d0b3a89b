import { createHash, createPublicKey, sign, verify } from 'node:crypto'
import { UserError } from '../../errors.ts'
import {
  type Ed25519Key,
  formatPublicKey,
  privateKeyObject,
  publicBlob,
  sshReader,
  sshString,
  uint32,
  wrapped,
} from './openssh-key.ts'

/** The namespace of hangar's signatures. Signatures in other namespaces are invalid. */
export const NAMESPACE = 'hangar'

const MAGIC = 'SSHSIG'
const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'

/** Signs a text. `ssh-keygen -Y verify -n hangar` accepts the signature (PROTOCOL.sshsig). */
export function signText(text: string, key: Ed25519Key): string {
  const signature = sign(null, signedBytes(text), privateKeyObject(key.seed))
  const blob = Buffer.concat([
    Buffer.from(MAGIC),
    uint32(1),
    sshString(publicBlob(key.publicKey)),
    sshString(NAMESPACE),
    sshString(''),
    sshString('sha512'),
    sshString(Buffer.concat([sshString('ssh-ed25519'), sshString(signature)])),
  ])
  return `${BEGIN}\n${wrapped(blob)}\n${END}\n`
}

/** Returns the trusted key (`ssh-ed25519 AAAA…`) that signed the text. Throws if no trusted key did. */
export function verifyText(text: string, armored: string, trusted: readonly string[]): string {
  const { publicKey, namespace, signature } = parseSignature(armored)
  if (namespace !== NAMESPACE) throw invalid(`its namespace is '${namespace}', expected '${NAMESPACE}'`)
  const line = formatPublicKey({ publicKey, comment: '' })
  const known = trusted.find((each) => each.split(' ').slice(0, 2).join(' ') === line)
  if (known === undefined) throw invalid(`its key is not trusted: '${line}'`)
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  })
  if (!verify(null, signedBytes(text), key, signature)) throw invalid('the signed text was different')
  return known
}

function signedBytes(text: string): Buffer {
  const digest = createHash('sha512').update(text).digest()
  return Buffer.concat([
    Buffer.from(MAGIC),
    sshString(NAMESPACE),
    sshString(''),
    sshString('sha512'),
    sshString(digest),
  ])
}

function parseSignature(armored: string): { publicKey: Buffer; namespace: string; signature: Buffer } {
  const body = new RegExp(`${BEGIN}([A-Za-z0-9+/=\\s]+)${END}`).exec(armored)?.[1]
  if (body === undefined) throw invalid('it is not an OpenSSH signature')
  const reader = sshReader(Buffer.from(body, 'base64'))
  if (reader.raw(MAGIC.length).toString() !== MAGIC || reader.raw(4).readUInt32BE() !== 1)
    throw invalid('its version is unknown')
  const key = sshReader(reader.string())
  if (key.string().toString() !== 'ssh-ed25519') throw invalid('its key is not of type ssh-ed25519')
  const publicKey = key.string()
  const namespace = reader.string().toString()
  reader.string()
  const hash = reader.string().toString()
  if (hash !== 'sha512') throw invalid(`its hash algorithm is '${hash}', expected 'sha512'`)
  const inner = sshReader(reader.string())
  if (inner.string().toString() !== 'ssh-ed25519') throw invalid('it is not of type ssh-ed25519')
  return { publicKey, namespace, signature: inner.string() }
}

function invalid(reason: string): UserError {
  return new UserError('signature', `the signature is invalid: ${reason}`, {
    hint: 'do not flash this image; build it again and sign it with a key that the host trusts',
  })
}
