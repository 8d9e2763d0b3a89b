import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { canonicalText } from '../canonical.ts'
import { formatPublicKey, parsePrivateKey } from '../signature/openssh-key.ts'
import type { PublicIdentity } from './public-identity.ts'

/** A key of age's: both halves as age writes them. */
export interface AgeKey {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string
  /** `age1…` */
  readonly recipient: string
}

const schema = z.strictObject({
  format: z.literal(1),
  host: z.string(),
  /** SSH host keys as OpenSSH writes private ones, the newest first. */
  ssh: z.array(z.string()).min(1),
  /** The newest first. */
  age: z.array(z.strictObject({ identity: z.string(), recipient: z.string() })).min(1),
  /** 32 hexadecimal digits. systemd asks that it be kept to the machine (machine-id(5)). */
  machineId: z.string().regex(/^[0-9a-f]{32}$/),
})

/** What makes a host itself: the plain text of `hosts/NAME.identity.age`, which is only ever in memory. */
export type PrivateIdentity = z.infer<typeof schema>

export function privateIdentityFile(host: string): string {
  return `hosts/${host}.identity.age`
}

export function privateIdentityText(value: PrivateIdentity): string {
  return canonicalText(value, 1)
}

/** Says what is wrong without a word of what is in it. */
export function parsePrivateIdentity(text: string, where: string): PrivateIdentity {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new UserError('format', `identity '${where}' is damaged at '${parsed.error.issues[0]?.path.join('.')}'`, {
    hint: `take it from your history: git log ${where}`,
  })
}

/** An error of the parser's would quote what it stumbled over. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function publicOf({ ssh, age }: PrivateIdentity): PublicIdentity {
  return { format: 1, ssh: ssh.map(publicLine), age: age.map(({ recipient }) => recipient) }
}

/** `ssh-ed25519 AAAA…` of a private key, without its comment. */
export function publicLine(privateKey: string): string {
  const { publicKey } = parsePrivateKey(privateKey, 'of the host')
  return formatPublicKey({ publicKey, comment: '' })
}
