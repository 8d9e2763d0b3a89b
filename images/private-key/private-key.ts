import { binaryKeyIn } from './binary.ts'
import { derKeyIn } from './der.ts'

/**
 * Text forms of private keys. Each pattern needs the key itself, not only its first line: scripts and manuals name the
 * first line, too. JSON files write a line break as `\n`.
 */
const BREAK = String.raw`(?:\\r)?(?:\\n|\r?\n)`
const TEXT: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(
      String.raw`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[ \t]*${BREAK}` +
        String.raw`(?:[\w-]+: [^\n\\]*${BREAK}|[ \t]*${BREAK})*[ \t]*[A-Za-z0-9+/]{16}`,
    ),
    'a PEM private key',
  ],
  [/-----BEGIN OpenVPN (?:Static|tls-crypt)[^\n]*key[^\n]*-----\s+[A-Za-z0-9+/]{16}/, 'an OpenVPN key'],
  [/^PuTTY-User-Key-File-\d: \S/m, 'a PuTTY private key'],
  [/AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{40}/i, 'an age identity'],
  [/\((?:\d+:)(?:protected-)?private-key|^Key: \((?:protected-)?private-key/m, 'a private key of gpg-agent'],
  [/^[ \t]*PrivateKey[ \t]*=[ \t]*[A-Za-z0-9+/]{43}=/m, 'a WireGuard private key'],
  [/^Private-key-format: v1\.\d/m, 'a DNSSEC private key'],
  [/algorithm\s+"?hmac-[\w-]+"?\s*;\s*secret\s+"[A-Za-z0-9+/]{16,}={0,2}"/, 'a TSIG key'],
  [/^untrusted comment: [^\n]*secret key\r?\n[A-Za-z0-9+/]{40}/m, 'a minisign or signify secret key'],
  [/^== ed25519v1-secret: /, 'a Tor key'],
]

/** The kind of private key in a file, in words; undefined if it holds none. Certificates and public keys are none. */
export function privateKeyIn(content: Uint8Array): string | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  const text = bytes.toString('latin1')
  const named = TEXT.find(([pattern]) => pattern.test(text))?.[1]
  return named ?? webKeyIn(text) ?? derKeyIn(bytes) ?? binaryKeyIn(bytes)
}

/** A JSON Web Key (RFC 7517) is private if it has the member `d`. */
function webKeyIn(text: string): string | undefined {
  const isKey = /"kty"\s*:\s*"(?:RSA|EC|OKP)"/.test(text) && /"d"\s*:\s*"[\w-]{32}/.test(text)
  return isKey ? 'a private JSON Web Key' : undefined
}
