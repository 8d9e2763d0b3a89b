import { UserError } from '../../errors.ts'
import { quoted } from '../../images/quoted.ts'

/** Parses the name of a network or of a backup target. */
export function parseLabel(text: string): string {
  return matching(
    text,
    /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/,
    'a name',
    'use at most 32 lower-case letters, digits and hyphens',
  )
}

/** Parses the name that lego has for a DNS provider. */
export function parseDnsProvider(text: string): string {
  return matching(
    text,
    /^[a-z0-9]+(-[a-z0-9]+)*$/,
    'a DNS provider of lego',
    'all names: https://go-acme.github.io/lego/dns/',
  )
}

/** Parses the name of an environment variable of lego. */
export function parseVariable(text: string): string {
  return matching(
    text,
    /^[A-Z][A-Z0-9_]*$/,
    'an environment variable of lego',
    "copy it from lego's page of your DNS provider",
  )
}

function matching(text: string, pattern: RegExp, what: string, hint: string): string {
  if (pattern.test(text)) return text
  throw new UserError('host', `${quoted(text)} is not ${what}`, { hint })
}
