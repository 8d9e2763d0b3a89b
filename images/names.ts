import { UserError } from '../errors.ts'

/** A host's name. It is a DNS label, because it is also the machine's host name. */
export type HostName = string & { readonly brand: 'HostName' }
/** A service's name. Its unit, container, layer and subvolume have the same name. */
export type ServiceName = string & { readonly brand: 'ServiceName' }
export type Slot = 'a' | 'b'

const LABEL = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/

export function parseHostName(text: string): HostName {
  if (!LABEL.test(text)) throw nameError('host', text)
  return text as HostName
}

export function parseServiceName(text: string): ServiceName {
  if (!LABEL.test(text)) throw nameError('service', text)
  return text as ServiceName
}

function nameError(what: string, text: string): UserError {
  return new UserError('host', `invalid ${what} name '${text}'`, {
    hint: 'use at most 32 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
  })
}
