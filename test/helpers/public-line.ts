import { formatPublicKey, keyFromSeed } from '../../images/signature/openssh-key.ts'

/** A public Ed25519 key in OpenSSH's format. Each number from 0 to 255 has its own key. */
export function publicLine(number: number, comment: string): string {
  return formatPublicKey(keyFromSeed(Buffer.alloc(32, number), comment))
}
