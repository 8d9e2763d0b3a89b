import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

// The characters of RFC 3986: programs in Go refuse spaces, control characters and incomplete percent-encoding.
const USER = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@"
const HOST = '(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])'
const REST = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
const URL_GRAMMAR = new RegExp(`^https?://(?:${USER})?${HOST}(?::\\d{1,5})?(?:[/?]${REST})?$`)

/** Parses a URL of a web server that a program on the host may send requests to: RFC 3986, without a fragment. */
export function parseHttpUrl(text: string): string {
  if (URL_GRAMMAR.test(text) && URL.canParse(text)) return text
  throw new UserError('host', `${quoted(text)} is not a URL of a web server such as 'https://example.org/alerts'`, {
    hint: "begin with 'http://' or 'https://', and write other characters than those of RFC 3986 as %XX",
  })
}
