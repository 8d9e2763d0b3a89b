import { hash } from 'node:crypto'

/**
 * The time of all built files, in seconds since 1970. It is constant, because the time of the lock would change every
 * layer with each new lock.
 */
export const EPOCH = 1_735_689_600

/** A UUID derived from a name (RFC 9562, version 8). The same name gives the same UUID. */
export function guid(name: string): string {
  const digits = hash('sha256', name, 'hex')
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-')
}
