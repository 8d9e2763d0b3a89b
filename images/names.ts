import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

/** A host's name. It is a DNS label, because it is also the machine's host name. */
export type HostName = string & { readonly brand: 'HostName' }
/** A service's name. Its unit, container, layer and subvolume have the same name. */
export type ServiceName = string & { readonly brand: 'ServiceName' }
/** A DNS domain in lower case, without a trailing dot: `lab`, `home.example.org`. */
export type DomainName = string & { readonly brand: 'DomainName' }
export type Slot = 'a' | 'b'

const LABEL = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/

export function parseHostName(text: string): HostName {
  if (!LABEL.test(text)) throw nameError('host', text)
  // RFC 6761, 6.3: resolvers answer the loopback address for this name.
  if (text === 'localhost') throw nameError('host', text)
  return text as HostName
}

/** Parses a domain that hosts are in (RFC 1035, 2.3.1; labels may begin with a digit: RFC 1123, 2.1). */
export function parseDomainName(text: string): DomainName {
  const labels = text.split('.')
  if (text === '') throw domainError(text, 'it is empty')
  if (text.endsWith('.')) throw domainError(text, 'it ends with a dot')
  const wrong = labels.find((label) => !DOMAIN_LABEL.test(label))
  if (wrong !== undefined)
    throw domainError(text, `its label ${quoted(wrong)} is not 1 to 63 lower-case letters, digits and inner hyphens`)
  // RFC 1035, 2.3.4: 255 bytes, which are 253 characters. A host name of 32 characters and a dot come before the domain.
  if (text.length > LONGEST_DOMAIN)
    throw domainError(text, `it has ${text.length} characters, the most are ${LONGEST_DOMAIN}`)
  const last = labels.at(-1) ?? ''
  if (/^\d+$/.test(last)) throw domainError(text, 'its last label is a number, as in an IP address')
  if (last === 'localhost') throw domainError(text, "names below 'localhost' have the loopback address (RFC 6761, 6.3)")
  return text as DomainName
}

const DOMAIN_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const LONGEST_DOMAIN = 253 - 32 - 1

function domainError(text: string, reason: string): UserError {
  return new UserError('host', `${quoted(text)} is not a domain: ${reason}`, {
    hint: "use a domain such as 'lab' or 'home.example.org'",
  })
}

export function parseServiceName(text: string): ServiceName {
  if (!LABEL.test(text)) throw nameError('service', text)
  return text as ServiceName
}

function nameError(what: string, text: string): UserError {
  return new UserError('host', `invalid ${what} name ${quoted(text)}`, {
    hint: 'use at most 32 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
  })
}
