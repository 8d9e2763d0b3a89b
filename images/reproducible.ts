import { hash } from 'node:crypto'

/** The time of everything that is built, in seconds since 1970. A time from the lock would change every layer at each lock. */
export const EPOCH = 1_735_689_600

/** A UUID derived from a name (RFC 9562, version 8): the same for the same name. */
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
