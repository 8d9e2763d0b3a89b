import { createHash, hash } from 'node:crypto'
import { UserError } from '../errors.ts'

/** A SHA-256 as 64 lower-case hexadecimal digits. Objects in the store are named by their digest. */
export type Digest = string & { readonly brand: 'Digest' }

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text)
}

export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw new UserError('digest', `invalid SHA-256 digest '${text}': expected 64 lower-case hexadecimal digits`)
  return text
}

export function digestOf(bytes: string | Uint8Array): Digest {
  return hash('sha256', bytes, 'hex') as Digest
}

/** Computes the digest of bytes that arrive in pieces. */
export class Digester {
  private readonly hash = createHash('sha256')

  update(bytes: Uint8Array): this {
    this.hash.update(bytes)
    return this
  }

  digest(): Digest {
    return this.hash.digest('hex') as Digest
  }
}

/** The first twelve digits, for messages. */
export function short(digest: Digest): string {
  return digest.slice(0, 12)
}
