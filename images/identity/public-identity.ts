import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { parseJsonDocument } from '../json-document.ts'

const schema = z.strictObject({
  format: z.literal(1),
  /** SSH host keys, the newest first: `ssh-ed25519 AAAA…`. */
  ssh: z.array(z.string().regex(/^ssh-ed25519 [A-Za-z0-9+/]+=*$/, "wanted 'ssh-ed25519 AAAA…'")).min(1),
  /** age recipients, the newest first; none for a host that made its identity itself. */
  age: z.array(z.string().regex(/^age1[0-9a-z]+$/, "wanted 'age1…'")),
})

/** What anybody may know of a host: `hosts/NAME.identity.json`. */
export type PublicIdentity = z.infer<typeof schema>

export function publicIdentityFile(host: string): string {
  return `hosts/${host}.identity.json`
}

/** One text for one value, in the form that the project's formatter leaves alone. */
export function publicIdentityText({ age, format, ssh }: PublicIdentity): string {
  return `{\n  ${listText('age', age)},\n  "format": ${format},\n  ${listText('ssh', ssh)}\n}\n`
}

const LINE_WIDTH = 120

function listText(name: string, items: readonly string[]): string {
  const quoted = items.map((item) => JSON.stringify(item))
  const line = `"${name}": [${quoted.join(', ')}]`
  return line.length + '  ,'.length <= LINE_WIDTH ? line : `"${name}": [\n    ${quoted.join(',\n    ')}\n  ]`
}

export function parsePublicIdentity(text: string, where: string): PublicIdentity {
  return parseJsonDocument(text, {
    formats: [1],
    schema,
    fail: (_, reason) =>
      new UserError('format', `identity '${where}' ${reason}`, { hint: `take it from your history: git log ${where}` }),
  })
}
