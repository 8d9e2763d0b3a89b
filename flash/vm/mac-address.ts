import { createHash } from 'node:crypto'

/** The address of a network card: `52:54:1f:00:9a:33`. */
export type MacAddress = string & { readonly brand: 'MacAddress' }

/**
 * The address of a host's network card, the same at every start. The first octet marks an address that no manufacturer
 * assigned. QEMU's own machines begin with 52:55 and 52:56, which no host has.
 */
export function macAddressOf(host: string): MacAddress {
  const digest = createHash('sha256').update(host).digest('hex').slice(0, 8)
  return `52:54:${digest.match(/../g)?.join(':')}` as MacAddress
}
