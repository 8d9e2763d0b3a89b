import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  fingerprintOf,
  formatPrivateKey,
  formatPublicKey,
  keyFromSeed,
  parsePrivateKey,
} from '../../../images/signature/openssh-key.ts'
import {
  ECDSA_KEY,
  GOLDEN_LOCKED_KEY,
  GOLDEN_PRIVATE_KEY,
  GOLDEN_PUBLIC_LINE,
  GOLDEN_SEED,
} from '../../helpers/golden-key.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { HAS_SSH_KEYGEN, sshKeygen } from '../../helpers/ssh-keygen.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const key = keyFromSeed(GOLDEN_SEED, 'RFC 8032, test 1')

describe('a key pair', () => {
  it('derives a key pair from its seed', () => {
    expect(Buffer.from(key.publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
  })

  it('a key pair has a public key line in OpenSSH’s format, with or without a comment', () => {
    expect(formatPublicKey(key)).toBe(GOLDEN_PUBLIC_LINE)
    expect(formatPublicKey({ ...key, comment: '' })).toBe(GOLDEN_PUBLIC_LINE.split(' ').slice(0, 2).join(' '))
  })
})

describe('a fingerprint', () => {
  it.skipIf(!HAS_SSH_KEYGEN)('a fingerprint is the one that ssh-keygen shows', async () => {
    const file = join(await tempDirectory(), 'key.pub')
    for (const line of PUBLIC_LINES) {
      writeFileSync(file, `${line}\n`)
      expect(sshKeygen(['-l', '-f', file]).output.split(' ')[1]).toBe(fingerprintOf(line))
    }
  })

  it('a fingerprint does not depend on the comment of the key', () => {
    const [line = ''] = PUBLIC_LINES
    expect(fingerprintOf(`${line} a comment`)).toBe(fingerprintOf(line))
    expect(fingerprintOf(line)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(fingerprintOf(PUBLIC_LINES[1] ?? '')).not.toBe(fingerprintOf(line))
  })
})

describe('a private key', () => {
  it('parses a private key from a file of ssh-keygen', () => {
    const read = parsePrivateKey(GOLDEN_PRIVATE_KEY, 'KEY')
    expect(Buffer.from(read.seed)).toEqual(GOLDEN_SEED)
    expect(Buffer.from(read.publicKey)).toEqual(Buffer.from(key.publicKey))
    expect(read.comment).toBe('RFC 8032, test 1')
  })

  // ssh-keygen uses a random check number, hangar a constant one. Nothing else may differ.
  it('writes a private key as ssh-keygen does, except for the check number', () => {
    const decoded = (text: string) => Buffer.from(text.replace(/-----.*-----/g, ''), 'base64')
    const [ours, golden] = [decoded(formatPrivateKey(key)), decoded(GOLDEN_PRIVATE_KEY)]
    const check = ours.indexOf(Buffer.concat([key.publicKey.subarray(0, 4), key.publicKey.subarray(0, 4)]))
    expect(check).toBeGreaterThan(0)
    for (const bytes of [ours, golden]) bytes.fill(0, check, check + 8)
    expect(ours).toEqual(golden)
    expect(
      formatPrivateKey(key)
        .split('\n')
        .map(({ length }) => length),
    ).toEqual(GOLDEN_PRIVATE_KEY.split('\n').map(({ length }) => length))
  })

  it.each(['', 'x', 'a comment', 'ünïcode', 'seventeen letters'])(
    'a private key is the same after writing and parsing, with the comment %j',
    (comment) => {
      const read = parsePrivateKey(formatPrivateKey({ ...key, comment }), 'KEY')
      expect(formatPrivateKey(read)).toBe(formatPrivateKey({ ...key, comment }))
      expect(read.comment).toBe(comment)
    },
  )

  it.skipIf(!HAS_SSH_KEYGEN)('ssh-keygen accepts the private key, and derives the same public key', async () => {
    const file = join(await tempDirectory(), 'key')
    writeFileSync(file, formatPrivateKey(key))
    chmodSync(file, 0o600)
    expect(sshKeygen(['-y', '-f', file])).toEqual({ status: 0, output: `${GOLDEN_PUBLIC_LINE}\n` })
  })
})

describe('parsePrivateKey', () => {
  it('refuses a private key with a passphrase, with a hint', () => {
    expect(() => parsePrivateKey(GOLDEN_LOCKED_KEY, "'HANGAR_SIGNING_KEY'")).toThrow(
      expect.objectContaining({
        code: 'key',
        message: "cannot read the key 'HANGAR_SIGNING_KEY': it has a passphrase",
        hint: 'remove the passphrase: ssh-keygen -p -N "" -f FILE; or use the key that hangar generates',
      }),
    )
  })

  it.each([
    ['a key of another type', ECDSA_KEY, "its type is 'ecdsa-sha2-nistp256'"],
    ['a public key', 'ssh-ed25519 AAAA…', 'it is not an OpenSSH private key'],
    [
      'other data between the markers',
      GOLDEN_PRIVATE_KEY.replace('b3BlbnNz', 'b3BlbnNx'),
      'it is not an OpenSSH private key',
    ],
  ])('refuses %s as a private key, and the hint says how to generate one', (_what, text, reason) => {
    expect(() => parsePrivateKey(text, "'FILE'")).toThrow(
      expect.objectContaining({
        code: 'key',
        message: `cannot read the key 'FILE': ${reason}, expected an OpenSSH private key of type ssh-ed25519`,
        hint: 'generate a key: ssh-keygen -t ed25519 -N "" -f FILE',
      }),
    )
  })

  it('refuses a truncated private key, and does not show its text', () => {
    const cut = GOLDEN_PRIVATE_KEY.replace(/\n4XLz2.*\n/, '\n')
    expect(() => parsePrivateKey(cut, "'FILE'")).toThrow('a key or signature is truncated')
    expect(() => parsePrivateKey(cut, "'FILE'")).not.toThrow(/AAAA/)
  })
})
