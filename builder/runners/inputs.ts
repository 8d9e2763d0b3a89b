import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest, type Input } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Store } from '../store/store.ts'
import { digestFile } from './outputs.ts'

/**
 * The path in the store of an input's object. `path` is its path below `/in`, for messages. Throws 'store' if the bytes
 * do not match the digest.
 */
export async function verifiedInput(derivation: Derivation, path: string, input: Input, store: Store): Promise<Digest> {
  const object = await inputObject(input, store)
  if ((await digestFile(store.path(object))) === object) return object
  throw new UserError(
    'store',
    `input '${path}' of derivation '${derivation.name}' is corrupt in the store: '${store.path(object)}'`,
    { hint: 'find and remove corrupt objects: npm run store:verify' },
  )
}

async function inputObject(input: Input, store: Store): Promise<Digest> {
  if ('locked' in input) return input.locked.sha256
  if ('object' in input) return input.object
  if ('bytes' in input) return store.putBytes(input.bytes)
  const output = store.output(derivationDigest(input.from))
  const found = output?.[input.file]
  if (found === undefined) {
    throw new Error(
      `derivation '${input.from.name}' left no '${input.file}', but: ${Object.keys(output ?? {}).join(', ')}`,
    )
  }
  return found.digest
}
