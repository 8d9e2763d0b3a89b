import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { canonicalText } from '../canonical.ts'
import { formatPublicKey, parsePrivateKey } from '../signature/openssh-key.ts'
import type { PublicIdentity } from './public-identity.ts'

/** An age key pair in age's format. */
export interface AgeKey {
  /** The private key: `AGE-SECRET-KEY-1…`. */
  readonly identity: string
  /** The public key: `age1…`. */
  readonly recipient: string
}

const schema = z.strictObject({
  format: z.literal(1),
  host: z.string(),
  /** Private SSH host keys in OpenSSH's format, newest first. */
  ssh: z.array(z.string()).min(1),
  /** The age keys, newest first. */
  age: z.array(z.strictObject({ identity: z.string(), recipient: z.string() })).min(1),
  /** The machine id: 32 hexadecimal digits, which machine-id(5) describes as confidential. */
  machineId: z.string().regex(/^[0-9a-f]{32}$/),
})

/** The private half of a host's identity: the decrypted `hosts/NAME.identity.age`. hangar keeps it only in memory. */
export type PrivateIdentity = z.infer<typeof schema>

export function privateIdentityFile(host: string): string {
  return `hosts/${host}.identity.age`
}

export function privateIdentityText(value: PrivateIdentity): string {
  return canonicalText(value, 1)
}

/** Parses a private identity. Its error messages contain nothing of the text. */
export function parsePrivateIdentity(text: string, where: string): PrivateIdentity {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new UserError('format', `identity '${where}' is damaged at '${parsed.error.issues[0]?.path.join('.')}'`, {
    hint: `restore the file from git: git log ${where}`,
  })
}

/** Drops the error of JSON.parse, because its message quotes the text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A host's own keys in the format of overlays/device/agent/renew-identity.sh: only values, no paths. */
export function ownKeysText({ ssh, age }: PrivateIdentity): string {
  return canonicalText({ format: 1, ssh, age }, 0)
}

export function publicOf({ ssh, age }: PrivateIdentity): PublicIdentity {
  return { format: 1, ssh: ssh.map(publicLine), age: age.map(({ recipient }) => recipient) }
}

/** The public key of a private key, without its comment: `ssh-ed25519 AAAA…`. */
export function publicLine(privateKey: string): string {
  const { publicKey } = parsePrivateKey(privateKey, 'of the host')
  return formatPublicKey({ publicKey, comment: '' })
}
