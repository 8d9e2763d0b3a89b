import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { formattedJson } from '../formatted-json.ts'
import { parseJsonDocument } from '../json-document.ts'
import { SECRETS_DIRECTORY } from './secret-name.ts'

const recipient = z.string().regex(/^age1[0-9a-z]+$/, "expected 'age1…'")

const record = z.strictObject({
  /** The recipients by host, newest first: the host's age keys at the time of the encryption. */
  hosts: z.record(z.string(), z.array(recipient).min(1)),
  /** When the value was made: a later encryption of the same value keeps this time. */
  made: z.iso.datetime(),
  /** The owner's recipient. */
  owner: recipient,
  /** The digest of the ciphertext's file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

const schema = z.strictObject({ format: z.literal(1), secrets: z.record(z.string(), record) })

/** The facts that an age file does not contain: to whom it is encrypted, and when its value was made. */
export type SecretRecord = Readonly<z.infer<typeof record>>

/** The records by the secret's name. */
export type SecretRecords = Readonly<Record<string, SecretRecord>>

export const SECRET_RECORDS = `${SECRETS_DIRECTORY}/secrets.json`

export function secretRecordsText(secrets: SecretRecords): string {
  return formattedJson({ format: 1, secrets })
}

export function parseSecretRecords(text: string): SecretRecords {
  const fail = (_: unknown, reason: string) =>
    new UserError('format', `'${SECRET_RECORDS}' ${reason}`, {
      hint: `restore the file from git: git log ${SECRET_RECORDS}`,
    })
  return parseJsonDocument(text, { formats: [1], schema, fail }).secrets
}
