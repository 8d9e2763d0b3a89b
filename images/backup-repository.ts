import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

const FORMS = [
  // restic's REST server, SFTP, and S3 (restic's manual, "Preparing a new repository").
  /^rest:https?:\/\/[^\s@]+$/,
  /^sftp:(?:[\w.-]+@)?[\w.-]+:\S+$/,
  /^sftp:\/\/(?:[\w.-]+@)?[\w.-]+(?::\d{1,5})?\/\S+$/,
  /^s3:(?:https?:\/\/)?[^\s@]+$/,
]

/** Parses a repository in restic's notation. It must not contain a password, because host files are not secret. */
export function parseBackupRepository(text: string): string {
  if (FORMS.some((form) => form.test(text))) return text
  if (/^(rest|s3):.*@/.test(text))
    throw new UserError('host', 'the repository contains a user and a password, and hosts/lab.ts is not secret', {
      hint: 'leave out the part up to the @',
    })
  throw new UserError('host', `${quoted(text)} is not a repository that hangar supports`, {
    hint: "write 'rest:https://HOST:8000/PATH', 'sftp:USER@HOST:/PATH' or 's3:HOST/BUCKET'",
  })
}
