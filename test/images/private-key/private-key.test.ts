import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { privateKeyIn } from '../../../images/private-key/private-key.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { randomFrom } from '../../power-cut/random.ts'

const PAIRS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  dsa: generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
  x25519: generateKeyPairSync('x25519'),
  x448: generateKeyPairSync('x448'),
  dh: diffieHellman(),
}

/** Node's types have no overload for these keys. */
function diffieHellman(): KeyPairKeyObjectResult {
  const generate = generateKeyPairSync as unknown as (type: 'dh', options: object) => KeyPairKeyObjectResult
  return generate('dh', { group: 'modp14' })
}

const ENCRYPTED = { cipher: 'aes-256-cbc', passphrase: 'secret' }

type Form = readonly [name: string, bytes: string | Buffer]

function privateForms(name: string, key: KeyObject): Form[] {
  const type = { rsa: 'pkcs1', 'P-256': 'sec1', 'P-521': 'sec1', secp256k1: 'sec1' }[name] as 'pkcs1' | undefined
  const types = ['pkcs8' as const, ...(type === undefined ? [] : [type])]
  return [
    ...types.flatMap((each): Form[] => [
      [`${name} ${each} PEM`, key.export({ format: 'pem', type: each })],
      [`${name} ${each} DER`, key.export({ format: 'der', type: each })],
      [`${name} ${each} PEM encrypted`, key.export({ format: 'pem', type: each, ...ENCRYPTED })],
    ]),
    [`${name} pkcs8 DER encrypted`, key.export({ format: 'der', type: 'pkcs8', ...ENCRYPTED })],
  ]
}

function publicForms(name: string, key: KeyObject): Form[] {
  return [
    [`${name} PEM`, key.export({ format: 'pem', type: 'spki' })],
    [`${name} DER`, key.export({ format: 'der', type: 'spki' })],
  ]
}

const PEM = PAIRS.ed25519.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const HEAD = '-----BEGIN PRIVATE KEY-----'

/** The fields in SSH's binary format. */
function ssh(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const size = Buffer.alloc(4)
      size.writeUInt32BE(Buffer.byteLength(field))
      return [size, Buffer.from(field as string)]
    }),
  )
}

const keytab = Buffer.concat([
  Buffer.from('05020000003d', 'hex'),
  Buffer.from('0001000b4558414d504c452e4f5247'.padEnd(122, '0'), 'hex'),
])
const base64 = (size: number) => randomBytes(size).toString('base64')

const PRIVATE: readonly Form[] = [
  ...Object.entries(PAIRS).flatMap(([name, { privateKey }]) => privateForms(name, privateKey)),
  ['a key with CRLF line ends', PEM.replaceAll('\n', '\r\n')],
  ['a key in JSON', JSON.stringify({ type: 'service_account', private_key: PEM })],
  ['a key indented in YAML', `key: |\n${PEM.replace(/^/gm, '    ')}`],
  [
    'a key after a certificate and text',
    `bag\n-----BEGIN CERTIFICATE-----\n${base64(40)}\n-----END CERTIFICATE-----\n${PEM}`,
  ],
  ['an OpenVPN key', `-----BEGIN OpenVPN Static key V1-----\n${randomBytes(16).toString('hex')}\n`],
  ['a PuTTY key', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n'],
  ['an age identity', `# created: x\nAGE-SECRET-KEY-1${'Q'.repeat(58)}\n`],
  ['a key of gpg-agent', '(11:private-key(3:ecc(5:curve7:Ed25519)))'],
  ['a key of gpg-agent in the new format', 'Created: 20260101T000000\nKey: (private-key (ecc (curve Ed25519)))\n'],
  ['a WireGuard configuration', `[Interface]\nPrivateKey = ${base64(32)}\n`],
  ['a DNSSEC key', `Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: ${base64(32)}\n`],
  ['a key of rndc', `key "rndc-key" {\n\talgorithm hmac-sha256;\n\tsecret "${base64(32)}";\n};\n`],
  ['a signify key', `untrusted comment: signify secret key\n${base64(104)}\n`],
  ['a JSON Web Key', JSON.stringify(PAIRS.rsa.privateKey.export({ format: 'jwk' }))],
  ['an RSA key of Dropbear', ssh('ssh-rsa', '\x01\0\x01', randomBytes(256), randomBytes(256), randomBytes(128), 'q')],
  ['an Ed25519 key of Dropbear', ssh('ssh-ed25519', randomBytes(64))],
  ['an ECDSA key of Dropbear', ssh('ecdsa-sha2-nistp256', 'nistp256', randomBytes(65), randomBytes(32))],
  ['a keytab', keytab],
]

const certificate = `-----BEGIN CERTIFICATE-----\n${base64(48)}\n-----END CERTIFICATE-----\n`

const PUBLIC: readonly Form[] = [
  ...Object.entries(PAIRS).flatMap(([name, { publicKey }]) => publicForms(name, publicKey)),
  ['nothing', ''],
  ['a certificate', certificate],
  ['DH parameters', `-----BEGIN DH PARAMETERS-----\n${base64(48)}\n-----END DH PARAMETERS-----\n`],
  ['a script that looks for keys', `grep -q -- '${HEAD}' "$1" && echo key\n`],
  ['a manual with a shortened key', `${HEAD}\n...\n-----END PRIVATE KEY-----\n`],
  ['a manual with a placeholder', `${HEAD}\nyour key here\n-----END PRIVATE KEY-----\n`],
  ['a public JSON Web Key', JSON.stringify(PAIRS.rsa.publicKey.export({ format: 'jwk' }))],
  ['a peer of WireGuard', `[Peer]\nPublicKey = ${base64(32)}\n`],
  ['an age recipient', `age1${'q'.repeat(58)}\n`],
  ['the statement that a file has no TSIG key', 'include "/etc/bind/rndc.key";\n'],
  ['a public key of Dropbear', ssh('ssh-rsa', '\x01\0\x01', randomBytes(256))],
  ['a public Ed25519 key in binary form', ssh('ssh-ed25519', randomBytes(32))],
  ['a line of authorized_keys', `ssh-ed25519 ${ssh('ssh-ed25519', randomBytes(32)).toString('base64')} you\n`],
  ['an empty Java key store', Buffer.from(`feedfeed${'00000002'}${'00000000'}${'00'.repeat(20)}`, 'hex')],
  ['a DER digest', Buffer.from(`3031300d060960864801650304020105000420${'11'.repeat(32)}`, 'hex')],
]

describe('privateKeyIn', () => {
  it.each(PRIVATE)('finds %s', (_name, bytes) => {
    expect(privateKeyIn(Buffer.from(bytes as string))).toBeTypeOf('string')
  })

  it.each(PUBLIC)('accepts %s', (_name, bytes) => {
    expect(privateKeyIn(Buffer.from(bytes as string))).toBeUndefined()
  })

  it('accepts random bytes, and never fails on damaged keys', () => {
    for (let place = 0; place < 400; place++) {
      const random = randomFrom(7, place)
      const noise = Buffer.from(Array.from({ length: 64 }, () => Math.floor(random() * 256)))
      expect({ place, found: privateKeyIn(noise) }).toEqual({ place, found: undefined })
      const [, bytes] = PRIVATE[Math.floor(random() * PRIVATE.length)] as Form
      const damaged = Buffer.from(bytes as string).subarray(0, Math.floor(random() * bytes.length))
      for (let at = 0; at < 3 && damaged.length > 0; at++)
        damaged[Math.floor(random() * Math.min(damaged.length, 30))] = Math.floor(random() * 256)
      expect(() => privateKeyIn(damaged)).not.toThrow()
    }
  })
})

function has(...programs: readonly string[]): boolean {
  return programs.every((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0)
}

describe('privateKeyIn, on files of the programs that write them', () => {
  it.skipIf(!has('ssh-keygen')).each(['ed25519', 'ecdsa', 'rsa'])('finds an OpenSSH key of type %s', async (type) => {
    const file = join(await tempDirectory(), 'key')
    for (const passphrase of ['', 'secret']) {
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-f', `${file}${passphrase}`])
      expect(privateKeyIn(readFileSync(`${file}${passphrase}`))).toBe('a PEM private key')
      expect(privateKeyIn(readFileSync(`${file}${passphrase}.pub`))).toBeUndefined()
    }
  })

  it.skipIf(!has('openssl'))('finds the key of a PKCS #12 file, and accepts one with certificates only', async () => {
    const directory = await tempDirectory()
    const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' })
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-keyout', 'key', '-out', 'cert')
    openssl('pkcs12', '-export', '-inkey', 'key', '-in', 'cert', '-passout', 'pass:x', '-out', 'both')
    openssl('pkcs12', '-export', '-nokeys', '-in', 'cert', '-passout', 'pass:x', '-out', 'certificates')
    openssl('x509', '-in', 'cert', '-outform', 'DER', '-out', 'cert.der')
    openssl('rsa', '-in', 'key', '-aes256', '-traditional', '-passout', 'pass:secret', '-out', 'old')
    const found = (name: string) => privateKeyIn(readFileSync(join(directory, name)))
    expect(['key', 'both', 'old'].map(found)).toEqual(Array(3).fill(expect.stringContaining('private key')))
    expect(['cert', 'cert.der', 'certificates'].map(found)).toEqual(Array(3).fill(undefined))
  })

  it.skipIf(!has('gpg', 'gpg-agent'))('finds secret keys of gpg, and accepts its public keys', async () => {
    const home = await tempDirectory()
    const gpg = (...args: readonly string[]) =>
      execFileSync('gpg', ['--batch', '--passphrase', '', ...args], {
        env: { ...process.env, GNUPGHOME: home },
        stdio: 'pipe',
      })
    for (const type of ['ed25519', 'rsa2048']) gpg('--quick-generate-key', `${type} <a@example.org>`, type, 'sign')
    const stored = readdirSync(join(home, 'private-keys-v1.d')).map((name) => join('private-keys-v1.d', name))
    writeFileSync(join(home, 'secret'), gpg('--export-secret-keys'))
    writeFileSync(join(home, 'secret.asc'), gpg('--armor', '--export-secret-keys'))
    writeFileSync(join(home, 'public'), gpg('--export'))
    writeFileSync(join(home, 'public.asc'), gpg('--armor', '--export'))
    execFileSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, GNUPGHOME: home } })
    const found = (name: string) => privateKeyIn(readFileSync(join(home, name)))
    for (const name of ['secret', 'secret.asc', ...stored])
      expect([name, found(name)]).toEqual([name, expect.any(String)])
    for (const name of ['public', 'public.asc', 'pubring.kbx']) expect([name, found(name)]).toEqual([name, undefined])
  })

  it.skipIf(!has('keytool', 'openssl'))(
    'finds the key of a Java key store, and accepts certificates in one',
    async () => {
      const directory = await tempDirectory()
      const keytool = (...args: readonly string[]) =>
        execFileSync('keytool', [...args, '-storetype', 'JKS', '-storepass', 'secret', '-noprompt'], {
          cwd: directory,
          stdio: 'ignore',
        })
      keytool(
        '-genkeypair',
        '-keyalg',
        'RSA',
        '-keypass',
        'secret',
        '-alias',
        'a',
        '-dname',
        'CN=x',
        '-keystore',
        'keys',
      )
      keytool('-exportcert', '-alias', 'a', '-keystore', 'keys', '-file', 'cert')
      keytool('-importcert', '-alias', 'b', '-keystore', 'trusted', '-file', 'cert')
      keytool('-importcert', '-alias', 'c', '-keystore', 'trusted', '-file', 'cert')
      expect(privateKeyIn(readFileSync(join(directory, 'keys')))).toBe('a Java key store with a private key')
      expect(privateKeyIn(readFileSync(join(directory, 'trusted')))).toBeUndefined()
    },
  )
})
