import { createPublicKey } from 'node:crypto'
import { UserError } from '../../errors.ts'
import { quoted } from '../quoted.ts'
import { type SshReader, sshReader } from './openssh-key.ts'

/** A public key on one line, in OpenSSH's format: `ssh-ed25519 AAAA… comment`. */
export type PublicKeyLine = string & { readonly brand: 'PublicKeyLine' }

/** Reads the rest of a key's blob after its type. Returns the reason why it is no key, or undefined. */
type ReadBlob = (reader: SshReader) => string | undefined

/**
 * The types that sshd of OpenSSH 10 accepts by default, with the fields of their blobs: RFC 4253, 6.6 (RSA); RFC 5656, 3.1
 * (ECDSA); RFC 8709, 4 (Ed25519); PROTOCOL.u2f of OpenSSH (the types that begin with sk-).
 */
const TYPES: Readonly<Record<string, ReadBlob>> = {
  'ssh-ed25519': readEd25519,
  'sk-ssh-ed25519@openssh.com': (reader) => readEd25519(reader) ?? readApplication(reader),
  'ecdsa-sha2-nistp256': readEcdsa('nistp256', 'P-256'),
  'ecdsa-sha2-nistp384': readEcdsa('nistp384', 'P-384'),
  'ecdsa-sha2-nistp521': readEcdsa('nistp521', 'P-521'),
  'sk-ecdsa-sha2-nistp256@openssh.com': (reader) => readEcdsa('nistp256', 'P-256')(reader) ?? readApplication(reader),
  'ssh-rsa': readRsa,
}

/** Parses a public key that may log in. Refuses everything that sshd would skip in `authorized_keys`. */
export function parseLoginKey(text: string): PublicKeyLine {
  return parsePublicKey(text, Object.keys(TYPES))
}

/** Parses a public key that may sign images: hangar signs with Ed25519 only. */
export function parseSigningKey(text: string): PublicKeyLine {
  return parsePublicKey(text, ['ssh-ed25519'])
}

function parsePublicKey(text: string, types: readonly string[]): PublicKeyLine {
  const problem = problemOf(text, types)
  if (problem === undefined) return text as PublicKeyLine
  throw new UserError('host', `${quoted(text)} is not a public key: ${problem}, wanted 'ssh-ed25519 AAAA… name'`, {
    hint: 'copy the whole line of the .pub file; to make a key: ssh-keygen -t ed25519',
  })
}

function problemOf(text: string, types: readonly string[]): string | undefined {
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)) return 'it has a line break or another control character'
  const [type = '', base64 = '', ...comment] = text.split(' ')
  if (!types.includes(type)) return problemOfType(type, text, types)
  if (base64 === '') return 'one space and the key in base64 must follow its type'
  const blob = Buffer.from(base64, 'base64')
  if (blob.toString('base64') !== base64) return 'its second word is not base64'
  if (comment.length > 0 && comment.join(' ') !== comment.join(' ').trim()) return 'it has spaces around its comment'
  if (comment.length === 1 && comment[0] === '') return 'it ends with a space'
  return problemOfBlob(type, sshReader(blob))
}

function problemOfType(type: string, text: string, types: readonly string[]): string {
  const after = text.split(/\s+/).slice(1)
  if (after.some((word) => types.includes(word))) return 'hangar does not support options before the type of a key'
  return `its type is ${quoted(type)}, supported: ${types.join(', ')}`
}

function problemOfBlob(type: string, reader: SshReader): string | undefined {
  try {
    const inside = reader.string().toString('latin1')
    if (inside !== type) return `its base64 holds a key of type ${quoted(inside)}`
    return TYPES[type]?.(reader) ?? (reader.rest() === 0 ? undefined : `${reader.rest()} bytes follow the key`)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return 'it is truncated'
  }
}

function readEd25519(reader: SshReader): string | undefined {
  const { length } = reader.string()
  return length === 32 ? undefined : `its key has ${length} bytes, an Ed25519 key has 32`
}

/** OpenSSH stores the application as text without NUL: 'ssh:'. */
function readApplication(reader: SshReader): string | undefined {
  return reader.string().includes(0) ? 'its application has a NUL byte' : undefined
}

function readEcdsa(curve: string, crv: string): ReadBlob {
  return (reader) => {
    const named = reader.string().toString('latin1')
    if (named !== curve) return `its curve is ${quoted(named)}`
    const point = reader.string()
    const half = (point.length - 1) / 2
    const coordinate = (from: number) => point.subarray(from, from + half).toString('base64url')
    if (point[0] !== 4 || !Number.isInteger(half)) return 'its point is not uncompressed (SEC 1, 2.3.3)'
    return isPoint({ kty: 'EC', crv, x: coordinate(1), y: coordinate(1 + half) })
      ? undefined
      : 'its point is not on the curve'
  }
}

function isPoint(key: Readonly<Record<'kty' | 'crv' | 'x' | 'y', string>>): boolean {
  try {
    createPublicKey({ key, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

/** sshd skips RSA keys with less than 1024 bits (sshd_config(5), RequiredRSASize), and OpenSSL verifies at most 16384 bits. */
function readRsa(reader: SshReader): string | undefined {
  const [exponent, modulus] = [reader.string(), reader.string()].map(bitsOf)
  if (exponent === undefined || modulus === undefined || exponent === 0) return 'its numbers are not positive'
  if (modulus < 1024 || modulus > 16384) return `it has ${modulus} bits, an RSA key has 1024 to 16384`
  return undefined
}

/** The number of bits of a positive integer (RFC 4251, 5: mpint); undefined for a negative one or unneeded zeros. */
function bitsOf(bytes: Buffer): number | undefined {
  const [first = 0, second = 0] = bytes
  if (first & 0x80 || (bytes.length > 0 && first === 0 && !(second & 0x80))) return undefined
  const digits = bytes.toString('hex').replace(/^0+/, '')
  return digits === '' ? 0 : (digits.length - 1) * 4 + Number.parseInt(digits[0] ?? '0', 16).toString(2).length
}
