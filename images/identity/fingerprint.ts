import { hash } from 'node:crypto'

/** `SHA256:…` of a public key's line, as ssh and ssh-keygen show it. */
export function fingerprintOf(publicLine: string): string {
  const blob = Buffer.from(publicLine.split(' ')[1] ?? '', 'base64')
  return `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`
}
