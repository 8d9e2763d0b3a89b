import type * as Age from 'age-encryption'
import { UserError } from '../../errors.ts'
import type { AgeKey } from '../../images/identity/private-identity.ts'

/** Loads age only when it is needed: age is a quarter of a megabyte, and few commands need it. */
function load(): Promise<typeof Age> {
  return import('age-encryption')
}

export async function makeAgeKey(): Promise<AgeKey> {
  const age = await load()
  const identity = await age.generateX25519Identity()
  return { identity, recipient: await age.identityToRecipient(identity) }
}

/** The public half of a key. Errors name the key as `where`, and never quote it. */
export async function recipientOf(identity: string, where: string): Promise<string> {
  const age = await load()
  try {
    return await age.identityToRecipient(identity)
  } catch {
    throw new UserError('key', `cannot read the age key ${where}: wanted a complete 'AGE-SECRET-KEY-1…'`, {
      hint: 'restore the key from your backup',
    })
  }
}

/** Encrypts a text to each recipient, in the format of `age --armor`. */
export async function encryptTo(recipients: readonly string[], text: string): Promise<string> {
  const age = await load()
  const encrypter = new age.Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return age.armor.encode(await encrypter.encrypt(text))
}

/** Decrypts an armored text. Errors name the file as `where`, and the key as `keyFile`. */
export async function decryptWith(
  identity: string,
  armored: string,
  { where, keyFile }: { readonly where: string; readonly keyFile: string },
): Promise<string> {
  const age = await load()
  const decrypter = new age.Decrypter()
  decrypter.addIdentity(identity)
  try {
    return await decrypter.decrypt(age.armor.decode(armored), 'text')
  } catch (error) {
    throw new UserError('key', `cannot decrypt '${where}' with '${keyFile}': ${(error as Error).message}`, {
      hint: `restore the right key to '${keyFile}' from your backup, or restore the encrypted file from git`,
    })
  }
}
