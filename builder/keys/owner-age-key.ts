import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { AgeKey } from '../../images/identity/private-identity.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { keyDirectory } from '../../lib/user-directories.ts'
import { makeAgeKey, recipientOf } from './age.ts'
import { isKeyFile, readPrivateFile, writePrivateFile } from './key-file.ts'

export interface OwnerAgeKey extends AgeKey {
  readonly file: string
}

interface Asked {
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
}

/** The key that encrypts private identities and secrets. hangar creates the key at first use. */
export async function ownerAgeKey({ env, reporter }: Asked): Promise<OwnerAgeKey> {
  const file = ownerAgeKeyFile(env)
  if (isKeyFile(file)) return readOwn(file)
  if (env.CI === 'true') {
    throw new UserError('key', `'${file}' does not exist, and hangar makes no keys when CI=true`, {
      hint: 'make identities on your own machine, and commit the new files in hosts/',
    })
  }
  const key = await makeAgeKey()
  // The format of age-keygen, so that `age --decrypt --identity FILE` reads it.
  if (!(await writePrivateFile(file, `# public key: ${key.recipient}\n${key.identity}\n`))) return readOwn(file)
  await writeFile(`${file}.pub`, `${key.recipient}\n`)
  reporter.notice(`made ${file}: it decrypts the keys and secrets of your hosts; keep a backup in a safe place`)
  return { ...key, file }
}

/** The existing key, to decrypt `wantedFor`. Makes no new key, because a new key could not decrypt it. */
export async function existingOwnerAgeKey(env: NodeJS.ProcessEnv, wantedFor: string): Promise<OwnerAgeKey> {
  const file = ownerAgeKeyFile(env)
  if (isKeyFile(file)) return readOwn(file)
  throw new UserError('key', `cannot decrypt '${wantedFor}': '${file}' does not exist`, {
    hint: `restore the key to '${file}' from your backup`,
  })
}

/** Whether this machine has the owner's key, with which it can decrypt secrets. */
export function hasOwnerAgeKey(env: NodeJS.ProcessEnv): boolean {
  return isKeyFile(ownerAgeKeyFile(env))
}

function ownerAgeKeyFile(env: NodeJS.ProcessEnv): string {
  return join(keyDirectory(env), 'age_key')
}

async function readOwn(file: string): Promise<OwnerAgeKey> {
  const lines = readPrivateFile(file).split('\n')
  const identity = lines.find((line) => line !== '' && !line.startsWith('#'))?.trim() ?? ''
  return { identity, recipient: await recipientOf(identity, `'${file}'`), file }
}
