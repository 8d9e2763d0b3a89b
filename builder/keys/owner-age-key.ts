import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { AgeKey } from '../../images/identity/private-identity.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { makeAgeKey, recipientOf } from './age.ts'
import { readPrivateFile, writePrivateFile } from './key-file.ts'
import { keyDirectory } from './owner-keys.ts'

export interface OwnerAgeKey extends AgeKey {
  readonly file: string
}

interface Asked {
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
}

/** The key that hosts' private halves and secrets are encrypted to: read, or made at first use. */
export async function ownerAgeKey({ env, reporter }: Asked): Promise<OwnerAgeKey> {
  const file = ownerAgeKeyFile(env)
  if (existsSync(file)) return readOwn(file)
  if (env.CI === 'true') {
    throw new UserError('key', `there is no '${file}', and continuous integration makes no keys`, {
      hint: 'make identities on your own machine, and commit what that leaves in hosts/',
    })
  }
  const key = await makeAgeKey()
  // As age-keygen has it, so that `age --decrypt --identity FILE` takes it.
  if (!(await writePrivateFile(file, `# public key: ${key.recipient}\n${key.identity}\n`))) return readOwn(file)
  await writeFile(`${file}.pub`, `${key.recipient}\n`)
  reporter.notice(`made ${file}: it decrypts your hosts' keys and secrets; keep a copy of it in a safe place`)
  return { ...key, file }
}

/** For what was encrypted before: a key made now would decrypt nothing. */
export async function existingOwnerAgeKey(env: NodeJS.ProcessEnv, wantedFor: string): Promise<OwnerAgeKey> {
  const file = ownerAgeKeyFile(env)
  if (existsSync(file)) return readOwn(file)
  throw new UserError('key', `cannot decrypt '${wantedFor}': there is no '${file}'`, {
    hint: `put your copy of the key at '${file}'`,
  })
}

function ownerAgeKeyFile(env: NodeJS.ProcessEnv): string {
  return join(keyDirectory(env), 'age_key')
}

async function readOwn(file: string): Promise<OwnerAgeKey> {
  const lines = readPrivateFile(file).split('\n')
  const identity = lines.find((line) => line !== '' && !line.startsWith('#'))?.trim() ?? ''
  return { identity, recipient: await recipientOf(identity, `'${file}'`), file }
}
