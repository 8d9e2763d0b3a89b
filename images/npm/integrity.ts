import { hash } from 'node:crypto'

/** The SHA-512 of a tarball as `package-lock.json` states it: `sha512-` and 88 characters of base64. */
export type Integrity = string & { readonly brand: 'Integrity' }

const SHA512 = /^sha512-([A-Za-z0-9+/]{86}==)$/

/** The integrity of these bytes. */
export function sha512Of(bytes: string | Uint8Array): Integrity {
  return `sha512-${hash('sha512', bytes, 'base64')}` as Integrity
}

/** The SHA-512 in a list of subresource integrity metadata. Undefined if the list has only weaker digests. */
export function sha512In(metadata: string): Integrity | undefined {
  const found = metadata
    .split(/\s+/)
    .map((each) => each.replace(/\?.*$/, ''))
    .find((each) => SHA512.test(each))
  return found as Integrity | undefined
}

/** The SHA-512 as 128 hexadecimal digits. */
export function hexOf(integrity: Integrity): string {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
}
