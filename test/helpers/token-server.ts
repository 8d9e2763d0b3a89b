import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { ISSUER, SERVICE, USER } from './debian-registry.ts'

export interface TokenServer {
  readonly realm: string
  /** The certificate with which the registry verifies tokens. */
  readonly certificate: string
  /** The scopes that each request asked for. */
  readonly asked: { readonly scopes: readonly string[]; readonly user: string | undefined }[]
  /** The lifetime of a token in seconds. */
  life: number
}

/** A fake token server. The registry is real, but the protocol leaves the token server to the operator of a registry. */
export async function startTokenServer(): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const asked: TokenServer['asked'] = []
  const state = { life: 300 }
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const scopes = searchParams.getAll('scope')
    const [user, password] = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64')
      .toString()
      .split(':')
    asked.push({ scopes, user: user || undefined })
    if (user !== USER.user || password !== USER.password) return void response.writeHead(401).end('{}')
    response.end(JSON.stringify({ token: token(privateKey, publicKey, scopes, state.life) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return Object.assign(state, { realm, asked, certificate: certificate(privateKey, publicKey) })
}

function token(key: KeyObject, publicKey: KeyObject, scopes: readonly string[], life: number): string {
  const now = Math.floor(Date.now() / 1000)
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':')
    return { type, name, actions: actions.split(',') }
  })
  // The registry accepts tokens for a minute longer, for clocks that differ.
  const claims = { iss: ISSUER, aud: SERVICE, sub: USER.user, nbf: now - 10, exp: now + life, iat: now, access }
  const header = { typ: 'JWT', alg: 'ES256', kid: keyId(publicKey) }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

/** The name of a key in libtrust: the beginning of its digest in base32, in groups of four. */
function keyId(publicKey: KeyObject): string {
  const digest = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
  const bits = [...digest.subarray(0, 30)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)],
  )
  return (letters.join('').match(/.{4}/g) ?? []).join(':')
}

/** A minimal certificate (RFC 5280). The registry only reads the key in it. */
function certificate(key: KeyObject, publicKey: KeyObject): string {
  const algorithm = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
  const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('test')))))
  const validity = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z')))
  const body = der(
    0x30,
    ...[der(0xa0, Buffer.from('020102', 'hex')), Buffer.from('020101', 'hex'), algorithm, name, validity, name],
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, key)
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
