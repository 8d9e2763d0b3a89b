import { UserError } from '../../errors.ts'
import { quoted } from '../quoted.ts'

/** The name of a secret in the lab, which is also the name of its file: `zigbee2mqtt-network-key`. */
export type SecretName = string & { readonly brand: 'SecretName' }

const NAME = /^[a-z]([a-z0-9-]{0,126}[a-z0-9])?$/

export function parseSecretName(text: string): SecretName {
  if (NAME.test(text)) return text as SecretName
  throw new UserError('secret', `invalid name of a secret: ${quoted(text)}`, {
    hint: 'use at most 128 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
  })
}

/** The path of a secret's ciphertext in the project. */
export function secretFile(name: SecretName): string {
  return `${SECRETS_DIRECTORY}/${name}.age`
}

export const SECRETS_DIRECTORY = 'hosts/secrets'
