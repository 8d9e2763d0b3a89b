import { UserError } from '../errors.ts'

/** A machine's name: also its host name, so a DNS label. */
export type HostName = string & { readonly brand: 'HostName' }
/** A service's name: also its unit's, its container's, its layer's and its subvolume's. */
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
  return new UserError('host', `not a ${what} name: '${text}'`, {
    hint: 'lower-case letters, digits and inner hyphens, at most 32, starting with a letter',
  })
}
