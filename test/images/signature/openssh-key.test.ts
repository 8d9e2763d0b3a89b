import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
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
import { HAS_SSH_KEYGEN, sshKeygen } from '../../helpers/ssh-keygen.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const key = keyFromSeed(GOLDEN_SEED, 'RFC 8032, test 1')

describe('a key pair', () => {
  it('is made from its seed', () => {
    expect(Buffer.from(key.publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
  })

  it('has its public half on one line as OpenSSH writes it, with or without a comment', () => {
    expect(formatPublicKey(key)).toBe(GOLDEN_PUBLIC_LINE)
    expect(formatPublicKey({ ...key, comment: '' })).toBe(GOLDEN_PUBLIC_LINE.split(' ').slice(0, 2).join(' '))
  })
})

describe('a private key', () => {
  it('is read as ssh-keygen wrote it', () => {
    const read = parsePrivateKey(GOLDEN_PRIVATE_KEY, 'KEY')
    expect(Buffer.from(read.seed)).toEqual(GOLDEN_SEED)
    expect(Buffer.from(read.publicKey)).toEqual(Buffer.from(key.publicKey))
    expect(read.comment).toBe('RFC 8032, test 1')
  })

  // The check number is random in ssh-keygen's file and fixed in ours; nothing else may differ.
  it('is written as ssh-keygen writes it, but for the check number', () => {
    const decoded = (text: string) => Buffer.from(text.replace(/-----.*-----/g, ''), 'base64')
    const [ours, theirs] = [decoded(formatPrivateKey(key)), decoded(GOLDEN_PRIVATE_KEY)]
    const check = ours.indexOf(Buffer.concat([key.publicKey.subarray(0, 4), key.publicKey.subarray(0, 4)]))
    expect(check).toBeGreaterThan(0)
    for (const bytes of [ours, theirs]) bytes.fill(0, check, check + 8)
    expect(ours).toEqual(theirs)
    expect(
      formatPrivateKey(key)
        .split('\n')
        .map(({ length }) => length),
    ).toEqual(GOLDEN_PRIVATE_KEY.split('\n').map(({ length }) => length))
  })

  it.each(['', 'x', 'a comment', 'ünïcode', 'seventeen letters'])(
    'is the same after being written and read: %j',
    (comment) => {
      const read = parsePrivateKey(formatPrivateKey({ ...key, comment }), 'KEY')
      expect(formatPrivateKey(read)).toBe(formatPrivateKey({ ...key, comment }))
      expect(read.comment).toBe(comment)
    },
  )

  it.skipIf(!HAS_SSH_KEYGEN)('is accepted by ssh-keygen, which finds the same public half', async () => {
    const file = join(await tempDirectory(), 'key')
    writeFileSync(file, formatPrivateKey(key))
    chmodSync(file, 0o600)
    expect(sshKeygen(['-y', '-f', file])).toEqual({ status: 0, output: `${GOLDEN_PUBLIC_LINE}\n` })
  })
})

describe('a key that cannot be used', () => {
  it('is refused with what to do where it has a passphrase', () => {
    expect(() => parsePrivateKey(GOLDEN_LOCKED_KEY, "'HANGAR_SIGNING_KEY'")).toThrow(
      expect.objectContaining({
        code: 'key',
        message: "cannot read the key 'HANGAR_SIGNING_KEY': it is protected by a passphrase",
        hint: 'use one without: ssh-keygen -p -N "" -f FILE, or let hangar make its own',
      }),
    )
  })

  it.each([
    ['of another type', ECDSA_KEY, "it is of type 'ecdsa-sha2-nistp256'"],
    ['that is something else', 'ssh-ed25519 AAAA…', 'it is not an OpenSSH private key'],
    [
      'whose armour holds something else',
      GOLDEN_PRIVATE_KEY.replace('b3BlbnNz', 'b3BlbnNx'),
      'it is not an OpenSSH private key',
    ],
  ])('is refused with how to make one, if it is one %s', (_what, text, reason) => {
    expect(() => parsePrivateKey(text, "'FILE'")).toThrow(
      expect.objectContaining({
        code: 'key',
        message: `cannot read the key 'FILE': ${reason}, wanted ssh-ed25519`,
        hint: 'make one: ssh-keygen -t ed25519 -N "" -f FILE',
      }),
    )
  })

  it('is refused where it is cut short, and its text is not shown', () => {
    const cut = GOLDEN_PRIVATE_KEY.replace(/\n4XLz2.*\n/, '\n')
    expect(() => parsePrivateKey(cut, "'FILE'")).toThrow('a key or signature is cut short')
    expect(() => parsePrivateKey(cut, "'FILE'")).not.toThrow(/AAAA/)
  })
})
