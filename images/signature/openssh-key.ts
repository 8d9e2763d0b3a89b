import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { UserError } from '../../errors.ts'

/** An Ed25519 key pair. */
export interface Ed25519Key {
  /** 32 bytes. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly comment: string
}

const MAGIC = 'openssh-key-v1\0'
const TYPE = 'ssh-ed25519'
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----'
const END = '-----END OPENSSH PRIVATE KEY-----'

export function keyFromSeed(seed: Uint8Array, comment: string): Ed25519Key {
  const jwk = createPublicKey(privateKeyObject(seed)).export({ format: 'jwk' })
  return { seed, publicKey: Buffer.from(jwk.x ?? '', 'base64url'), comment }
}

export function privateKeyObject(seed: Uint8Array): KeyObject {
  // RFC 8410: the constant prefix of an Ed25519 key in PKCS #8.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** `ssh-ed25519 AAAA… comment` */
export function formatPublicKey({ publicKey, comment }: Pick<Ed25519Key, 'publicKey' | 'comment'>): string {
  return `${TYPE} ${publicBlob(publicKey).toString('base64')} ${comment}`.trimEnd()
}

/** `SHA256:…` of a public key line, as ssh and ssh-keygen show it. */
export function fingerprintOf(publicLine: string): string {
  const blob = Buffer.from(publicLine.split(' ')[1] ?? '', 'base64')
  return `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`
}

export function publicBlob(publicKey: Uint8Array): Buffer {
  return Buffer.concat([sshString(TYPE), sshString(publicKey)])
}

/** The file that `ssh-keygen` writes (PROTOCOL.key), without a passphrase. */
export function formatPrivateKey(key: Ed25519Key): string {
  // The check number detects a wrong passphrase, so any value works here. ssh-keygen uses a random one.
  const check = Buffer.from(key.publicKey.subarray(0, 4))
  const inner = Buffer.concat([
    check,
    check,
    sshString(TYPE),
    sshString(key.publicKey),
    sshString(Buffer.concat([key.seed, key.publicKey])),
    sshString(key.comment),
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1))
  const blob = Buffer.concat([
    Buffer.from(MAGIC, 'latin1'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    uint32(1),
    sshString(publicBlob(key.publicKey)),
    sshString(Buffer.concat([inner, padding])),
  ])
  return `${BEGIN}\n${wrapped(blob)}\n${END}\n`
}

/** Parses an unencrypted private key. Errors name it by `where` and never contain its text. */
export function parsePrivateKey(text: string, where: string): Ed25519Key {
  const body = new RegExp(`${BEGIN}([A-Za-z0-9+/=\\s]+)${END}`).exec(text)?.[1]
  if (body === undefined) throw keyError(where, 'it is not an OpenSSH private key')
  const reader = sshReader(Buffer.from(body, 'base64'))
  if (reader.raw(MAGIC.length).toString('latin1') !== MAGIC) throw keyError(where, 'it is not an OpenSSH private key')
  const cipher = reader.string().toString()
  if (cipher !== 'none') {
    throw new UserError('key', `cannot read the key ${where}: it has a passphrase`, {
      hint: 'remove the passphrase: ssh-keygen -p -N "" -f FILE; or use the key that hangar generates',
    })
  }
  reader.string()
  reader.string()
  reader.raw(4)
  reader.string()
  const inner = sshReader(reader.string())
  inner.raw(8)
  const type = inner.string().toString()
  if (type !== TYPE) throw keyError(where, `its type is '${type}'`)
  const publicKey = inner.string()
  return { seed: inner.string().subarray(0, 32), publicKey, comment: inner.string().toString() }
}

function keyError(where: string, reason: string): UserError {
  return new UserError(
    'key',
    `cannot read the key ${where}: ${reason}, expected an OpenSSH private key of type ${TYPE}`,
    {
      hint: 'generate a key: ssh-keygen -t ed25519 -N "" -f FILE',
    },
  )
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The type `string`: a length, followed by that many bytes (RFC 4251, section 5). */
export function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

export interface SshReader {
  raw(length: number): Buffer
  string(): Buffer
  /** The number of bytes that are not read yet. */
  rest(): number
}

export function sshReader(bytes: Buffer): SshReader {
  let at = 0
  const raw = (length: number) => {
    if (at + length > bytes.length) throw new UserError('format', 'a key or signature is truncated')
    at += length
    return bytes.subarray(at - length, at)
  }
  return { raw, string: () => raw(raw(4).readUInt32BE()), rest: () => bytes.length - at }
}

/** Base64 in lines of 70 characters, as in OpenSSH. */
export function wrapped(bytes: Buffer): string {
  return (bytes.toString('base64').match(/.{1,70}/g) ?? []).join('\n')
}
