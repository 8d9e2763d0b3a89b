import type { PrivateIdentity } from '../../images/identity/private-identity.ts'
import { formatPrivateKey, formatPublicKey, keyFromSeed } from '../../images/signature/openssh-key.ts'

const hostKey = (letter: string) => keyFromSeed(Buffer.alloc(32, letter), 'tiny')

/** An identity with one former key of each kind. Its age keys are not valid keys. */
export const IDENTITY: PrivateIdentity = {
  format: 1,
  host: 'tiny',
  ssh: [formatPrivateKey(hostKey('n')), formatPrivateKey(hostKey('o'))],
  age: [
    { identity: 'AGE-SECRET-KEY-1NEW', recipient: 'age1new' },
    { identity: 'AGE-SECRET-KEY-1OLD', recipient: 'age1old' },
  ],
  machineId: '0123456789abcdef0123456789abcdef',
}

/** The public lines of its SSH keys, without comments. */
export const PUBLIC_LINES = ['n', 'o'].map((letter) => formatPublicKey({ ...hostKey(letter), comment: '' }))
