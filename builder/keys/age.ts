import type * as Age from 'age-encryption'
import { UserError } from '../../errors.ts'
import type { AgeKey } from '../../images/identity/private-identity.ts'

/** age and its curves are a quarter of a megabyte, which few commands need. */
function load(): Promise<typeof Age> {
  return import('age-encryption')
}

export async function makeAgeKey(): Promise<AgeKey> {
  const age = await load()
  const identity = await age.generateX25519Identity()
  return { identity, recipient: await age.identityToRecipient(identity) }
}

/** The public half; `where` names the key in errors, its text is never shown. */
export async function recipientOf(identity: string, where: string): Promise<string> {
  const age = await load()
  try {
    return await age.identityToRecipient(identity)
  } catch {
    throw new UserError('key', `cannot read the age key ${where}: it is no 'AGE-SECRET-KEY-1…', or not whole`, {
      hint: 'take it from your copy of it',
    })
  }
}

/** Text that each of the recipients can read, armored as `age --armor` writes it. */
export async function encryptTo(recipients: readonly string[], text: string): Promise<string> {
  const age = await load()
  const encrypter = new age.Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return age.armor.encode(await encrypter.encrypt(text))
}

/** The text of an armored file; `where` and `keyFile` name it and the key in errors. */
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
      hint: `it is for another key, or damaged: put your copy of the key at '${keyFile}', or take the file from git`,
    })
  }
}
