import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { formattedJson } from '../formatted-json.ts'
import { parseJsonDocument } from '../json-document.ts'

const schema = z.strictObject({
  format: z.literal(1),
  /** The SSH host keys, newest first: `ssh-ed25519 AAAA…`. */
  ssh: z.array(z.string().regex(/^ssh-ed25519 [A-Za-z0-9+/]+=*$/, "expected 'ssh-ed25519 AAAA…'")).min(1),
  /** The age recipients, newest first. Empty for a host that created its own identity. */
  age: z.array(z.string().regex(/^age1[0-9a-z]+$/, "expected 'age1…'")),
})

/** The public half of a host's identity: `hosts/NAME.identity.json`. */
export type PublicIdentity = z.infer<typeof schema>

export function publicIdentityFile(host: string): string {
  return `hosts/${host}.identity.json`
}

/** The canonical text of an identity, formatted as `npm run format` formats it. */
export function publicIdentityText({ age, format, ssh }: PublicIdentity): string {
  return formattedJson({ age, format, ssh })
}

export function parsePublicIdentity(text: string, where: string): PublicIdentity {
  return parseJsonDocument(text, {
    formats: [1],
    schema,
    fail: (_, reason) =>
      new UserError('format', `identity '${where}' ${reason}`, { hint: `restore the file from git: git log ${where}` }),
  })
}
