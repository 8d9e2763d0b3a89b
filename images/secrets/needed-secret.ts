import type { SecretName } from './secret-name.ts'

/**
 * Where the value of a secret comes from. `random`: hangar can generate it, as this number of random bytes in hexadecimal.
 * `given`: only the owner knows it. `issued`: it is the private key of a certificate, and made with the certificate.
 */
export type SecretValue =
  | { readonly kind: 'random'; readonly bytes: number }
  | { readonly kind: 'given' }
  | { readonly kind: 'issued' }

/** The place where a container gets a secret. */
export type SecretPlace =
  | { readonly kind: 'file'; readonly container: string; readonly path: string }
  | { readonly kind: 'variable'; readonly container: string; readonly variable: string }

/** A secret that a service of a host needs. */
export interface NeededSecret {
  readonly name: SecretName
  readonly service: string
  readonly about: string
  readonly value: SecretValue
  /** Empty for a secret that the service declares and no container uses. */
  readonly places: readonly SecretPlace[]
}
