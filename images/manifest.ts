import { z } from 'zod'
import { UserError } from '../errors.ts'
import { canonicalText } from './canonical.ts'
import type { Digest } from './digest.ts'
import { parseJsonDocument } from './json-document.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits') as unknown as z.ZodType<Digest>
const bytes = z.number().int().nonnegative()

const manifest = z.strictObject({
  format: z.literal(1),
  host: z.string(),
  board: z.string(),
  /** Version of the disk layout that the image needs. */
  layout: z.number().int(),
  /** The order of images: first the lock's time in seconds since 1970, then the number in the host file. */
  serial: z.strictObject({ time: z.number().int(), number: z.number().int() }),
  /** Devices refuse updates to `unsigned` images. */
  signature: z.enum(['signed', 'unsigned']),
  /** Public keys that the image trusts for updates and for logins, in OpenSSH's format. */
  keys: z.strictObject({ signing: z.array(z.string()), ssh: z.array(z.string()) }),
  slot: z.strictObject({
    /** The size of the slot image in bytes: index, layers and hash tree. */
    size: bytes,
    sha256: digest,
    /** Number of 4096-byte blocks that the hash tree covers. The tree follows them directly. */
    dataBlocks: z.number().int().positive(),
    /** dm-verity root hash (format 1, SHA-256, no salt). It identifies the generation. */
    root: digest,
    layers: z.array(z.strictObject({ name: z.string(), offset: bytes, size: bytes, sha256: digest })),
  }),
  /** The files of the boot file system, except the manifest and its signature. */
  boot: z.record(z.string(), z.strictObject({ size: bytes, sha256: digest })),
  /** The main packages, for users: package -> Debian version. */
  versions: z.record(z.string(), z.string()),
})
export type Manifest = z.infer<typeof manifest>

export function manifestText(value: Manifest): string {
  return canonicalText(value, { boot: 1, keys: 1, slot: 2, versions: 1, serial: 0 })
}

export function parseManifest(text: string, where: string): Manifest {
  return parseJsonDocument(text, {
    formats: [1],
    schema: manifest,
    fail: (_, reason, cause) =>
      new UserError('format', `manifest '${where}' ${reason}`, {
        hint: 'build the image again: npm run build:image HOST',
        cause,
      }),
  })
}
