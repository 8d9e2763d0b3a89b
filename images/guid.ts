import { hash } from 'node:crypto'

/** An id that is the same for the same name (RFC 9562, version 8). */
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
