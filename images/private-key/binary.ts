/** The kind of private key in a binary file that is neither DER nor text; undefined if it holds none. */
export function binaryKeyIn(bytes: Buffer): string | undefined {
  if (bytes.toString('latin1', 0, 15) === 'openssh-key-v1\0') return 'an OpenSSH private key'
  if (isDropbearKey(bytes)) return 'a Dropbear host key'
  if (isOpenPgpSecret(bytes)) return 'an OpenPGP secret key'
  if (isJavaKeyStore(bytes)) return 'a Java key store with a private key'
  if (isKeytab(bytes)) return 'a Kerberos keytab'
  return undefined
}

/** Key type -> the number of fields of its public part (RFC 4253, RFC 5656). */
const PUBLIC_FIELDS: Readonly<Record<string, number>> = {
  'ssh-rsa': 2,
  'ssh-dss': 4,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'ssh-ed25519': 1,
}

/** Dropbear appends the private fields to the public ones. Ed25519 has one field, which is 64 instead of 32 bytes long. */
function isDropbearKey(bytes: Buffer): boolean {
  const [type = Buffer.of(), ...fields] = sshFields(bytes)
  const inPublic = PUBLIC_FIELDS[type.toString('latin1')]
  if (inPublic === undefined) return false
  return fields.length > inPublic || (type.equals(Buffer.from('ssh-ed25519')) && fields[0]?.length === 64)
}

/** The fields of SSH's binary format, each after its length. None if they do not fill the file. */
function sshFields(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = at + 4 > bytes.length ? -1 : bytes.readUInt32BE(at)
    if (size < 0 || at + 4 + size > bytes.length || fields.length > 10) return []
    fields.push(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return fields
}

/** Whether the first packet is a secret key or subkey of version 3 to 6 (RFC 9580, sections 4.2 and 5.5.3). */
function isOpenPgpSecret(bytes: Buffer): boolean {
  const [first = 0, second = 0] = bytes
  const isNew = (first & 0xc0) === 0xc0
  if ((first & 0x80) === 0 || ![5, 7].includes(isNew ? first & 0x3f : (first >> 2) & 0x0f)) return false
  const lengthBytes = isNew ? (second < 192 ? 1 : second < 224 ? 2 : 5) : ([1, 2, 4, 0][first & 3] ?? 0)
  const body = 1 + lengthBytes
  const [version = 0, algorithm = 0] = [bytes[body], bytes[body + 5]]
  return version >= 3 && version <= 6 && bytes.length > body + 20 && (version === 3 || isPublicKeyAlgorithm(algorithm))
}

function isPublicKeyAlgorithm(id: number): boolean {
  return [1, 2, 3, 16, 17, 18, 19, 22, 25, 26, 27, 28].includes(id)
}

const CERTIFICATE = 2

/** Whether an entry of a JKS or JCEKS file is not a certificate. */
function isJavaKeyStore(bytes: Buffer): boolean {
  if (bytes.length < 16 || ![0xfeedfeed, 0xcececece].includes(bytes.readUInt32BE(0))) return false
  const version = bytes.readUInt32BE(4)
  let at = 12
  for (let count = bytes.readUInt32BE(8); count > 0 && at + 4 <= bytes.length; count--) {
    if (bytes.readUInt32BE(at) !== CERTIFICATE) return true
    // The tag, the alias, the date, the type of the certificate, and the certificate.
    at += 4
    at = afterText(bytes, at) + 8
    if (version === 2) at = afterText(bytes, at)
    at += at + 4 <= bytes.length ? 4 + bytes.readUInt32BE(at) : 4
  }
  return false
}

function afterText(bytes: Buffer, at: number): number {
  return at + 2 + (at + 2 <= bytes.length ? bytes.readUInt16BE(at) : 0)
}

/** Version 1 or 2, then entries, each after its size (MIT krb5, keytab file format). */
function isKeytab(bytes: Buffer): boolean {
  if (bytes[0] !== 5 || (bytes[1] !== 1 && bytes[1] !== 2) || bytes.length < 20) return false
  const size = bytes[1] === 1 ? bytes.readInt32LE(2) : bytes.readInt32BE(2)
  return size > 8 && 6 + size <= bytes.length
}
