import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sshString } from '../../../images/signature/openssh-key.ts'
import { parseLoginKey, parseSigningKey } from '../../../images/signature/public-key.ts'
import { publicLine } from '../../helpers/public-line.ts'
import { HAS_SSH_KEYGEN, sshKeygen } from '../../helpers/ssh-keygen.ts'
import { tempDirectory } from '../../helpers/temp.ts'

type Field = string | Uint8Array

/** A line with a blob of the given type and fields. */
const lineOf = (type: string, fields: readonly Field[]) =>
  `${type} ${Buffer.concat([type, ...fields].map(sshString)).toString('base64')} me`

const part = (text = '') => Buffer.from(text, 'base64url')
/** A positive number with a zero before its sign bit (RFC 4251, 5). */
const mpint = (bytes: Buffer) => ((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)

const CURVES = { nistp256: 'P-256', nistp384: 'P-384', nistp521: 'P-521' } as const

function point(curve: keyof typeof CURVES): Buffer {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: CURVES[curve] }).publicKey.export({ format: 'jwk' })
  return Buffer.concat([Buffer.of(4), part(x), part(y)])
}

function rsa(modulusLength: number): string {
  const { e, n } = generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })
  return lineOf('ssh-rsa', [mpint(part(e)), mpint(part(n))])
}

const ED = Buffer.alloc(32, 7)
const VALID = [
  publicLine(1, 'me'),
  publicLine(1, ''),
  publicLine(1, 'my key "quoted" $HOME %h zürich'),
  lineOf('ecdsa-sha2-nistp256', ['nistp256', point('nistp256')]),
  lineOf('ecdsa-sha2-nistp384', ['nistp384', point('nistp384')]),
  lineOf('ecdsa-sha2-nistp521', ['nistp521', point('nistp521')]),
  lineOf('sk-ssh-ed25519@openssh.com', [ED, 'ssh:']),
  lineOf('sk-ecdsa-sha2-nistp256@openssh.com', ['nistp256', point('nistp256'), 'ssh:']),
  rsa(1024),
  rsa(3072),
]

const P256 = 'ecdsa-sha2-nistp256'
const INVALID: readonly (readonly [line: string, reason: string])[] = [
  ['ssh-ed25519 AAAA… you', 'its second word is not base64'],
  ['ssh-ed25519 AAAA you', 'it is truncated'],
  ['ssh-ed25519 notbase64!', 'its second word is not base64'],
  ['ssh-ed25519', 'the key in base64 must follow its type'],
  [publicLine(1, 'me').replace(' ', '  '), 'the key in base64 must follow its type'],
  [publicLine(1, 'me').replace(' ', '\t'), 'it has a line break or another control character'],
  [`${publicLine(1, 'me')}\n${publicLine(2, 'you')}`, 'it has a line break'],
  [`${publicLine(1, 'me')}\0`, 'it has a line break or another control character'],
  [`${publicLine(1, '')} `, 'it ends with a space'],
  [publicLine(1, '').replace(/.$/, (last) => `${last}=`), 'its second word is not base64'],
  [` ${publicLine(1, 'me')}`, 'hangar does not support options before the type'],
  [`restrict ${publicLine(1, 'me')}`, 'hangar does not support options before the type'],
  [`from="10.0.0.0/8",command="a b" ${publicLine(1, 'me')}`, 'hangar does not support options before the type'],
  ['', "its type is ''"],
  ['ssh-dss AAAA me', "its type is 'ssh-dss'"],
  [publicLine(1, 'me').replace('ssh-ed25519', 'ssh-ed25519-cert-v01@openssh.com'), 'its type is'],
  [publicLine(1, 'me').replace('ssh-ed25519', P256), "its base64 holds a key of type 'ssh-ed25519'"],
  [lineOf('ssh-ed25519', [ED.subarray(1)]), 'its key has 31 bytes'],
  [lineOf('ssh-ed25519', [ED, 'more']), '8 bytes follow the key'],
  [lineOf(P256, ['nistp384', point('nistp384')]), "its curve is 'nistp384'"],
  [lineOf(P256, ['nistp256', point('nistp384')]), 'its point is not on the curve'],
  [lineOf(P256, ['nistp256', Buffer.alloc(65, 4)]), 'its point is not on the curve'],
  [lineOf(P256, ['nistp256', point('nistp256').subarray(0, 64)]), 'its point is not uncompressed'],
  [lineOf('sk-ssh-ed25519@openssh.com', [ED]), 'it is truncated'],
  [lineOf('sk-ssh-ed25519@openssh.com', [ED, 'ssh:\0']), 'its application has a NUL byte'],
  [rsa(1016), 'it has 1016 bits, an RSA key has 1024 to 16384'],
  [lineOf('ssh-rsa', [Buffer.of(3), Buffer.alloc(256, 0xff)]), 'its numbers are not positive'],
]

describe('parseLoginKey', () => {
  it.each(VALID)('accepts every type of key that sshd accepts: %s', (line) => {
    expect(parseLoginKey(line)).toBe(line)
  })

  it.each(INVALID)('refuses %j: %s', (line, reason) => {
    expect(() => parseLoginKey(line)).toThrow(reason)
  })

  it.skipIf(!HAS_SSH_KEYGEN)('accepts only lines that ssh-keygen reads as one key', async () => {
    const file = join(await tempDirectory(), 'key.pub')
    for (const line of VALID) {
      writeFileSync(file, `${line}\n`)
      const { status, output } = sshKeygen(['-l', '-f', file])
      expect([line, status, output.trim().split('\n').length]).toEqual([line, 0, 1])
    }
  })
})

describe('parseSigningKey', () => {
  it('accepts Ed25519 only, because hangar signs with no other type', () => {
    expect(parseSigningKey(publicLine(1, 'me'))).toBe(publicLine(1, 'me'))
    expect(() => parseSigningKey(rsa(3072))).toThrow("its type is 'ssh-rsa', supported: ssh-ed25519, wanted")
  })

  it.each(INVALID)('refuses %j', (line) => {
    expect(() => parseSigningKey(line)).toThrow('is not a public key')
  })
})
