import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

// The dot-string of RFC 5321, 4.1.2, in ASCII. No quoted strings: few mail servers accept them.
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const MAIL_ADDRESS = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`)

/** Parses a mail address: `owner@example.org`. */
export function parseMailAddress(text: string): string {
  // RFC 5321, 4.5.3.1: at most 64 characters before the @, 254 in total.
  if (MAIL_ADDRESS.test(text) && text.indexOf('@') <= 64 && text.length <= 254) return text
  throw new UserError('host', `${quoted(text)} is not a mail address`, {
    hint: "write a mail address such as 'owner@example.org'",
  })
}
