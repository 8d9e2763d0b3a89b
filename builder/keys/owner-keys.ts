import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type Ed25519Key,
  formatPrivateKey,
  formatPublicKey,
  keyFromSeed,
  parsePrivateKey,
} from '../../images/signature/openssh-key.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { readPrivateFile, writePrivateFile } from './key-file.ts'

/** An image without a signature is for looking at: no device accepts it over the air. */
export type Signing =
  | { readonly kind: 'signed'; readonly key: Ed25519Key; readonly publicLine: string }
  | { readonly kind: 'unsigned' }

export interface OwnerKeys {
  readonly signing: Signing
  /** Public keys that may log in, as `authorized_keys` has them. */
  readonly ssh: readonly string[]
}

/** `$XDG_CONFIG_HOME/hangar`, where private halves live. */
export function keyDirectory(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || '/root', '.config'), 'hangar')
}

/**
 * The owner's keys: read, or made at first use. `HANGAR_SIGNING_KEY` (a file, or a key's text) comes before the file.
 * Continuous integration makes none: what it lacks is left out.
 */
export async function ownerKeys({ env, reporter }: { env: NodeJS.ProcessEnv; reporter: Reporter }): Promise<OwnerKeys> {
  const directory = keyDirectory(env)
  const signing = givenKey(env) ?? (await fileKey(directory, 'signing_key', env, reporter))
  const login = await fileKey(directory, 'ssh_key', env, reporter)
  return {
    signing:
      signing === undefined
        ? { kind: 'unsigned' }
        : { kind: 'signed', key: signing, publicLine: formatPublicKey(signing) },
    ssh: login === undefined ? [] : [formatPublicKey(login)],
  }
}

/**
 * Public halves of the keys with which the owner signs images, as far as they are here: of the private key, or a
 * `signing_key.pub` that was put in its place, for a machine that builds nothing. Makes none.
 */
export function ownSigningKeys(env: NodeJS.ProcessEnv): string[] {
  const given = givenKey(env)
  if (given !== undefined) return [formatPublicKey(given)]
  const file = join(keyDirectory(env), 'signing_key')
  if (existsSync(file)) return [formatPublicKey(readOwn(file))]
  return existsSync(`${file}.pub`) ? [readFileSync(`${file}.pub`, 'utf8').trim()] : []
}

function givenKey(env: NodeJS.ProcessEnv): Ed25519Key | undefined {
  const given = env.HANGAR_SIGNING_KEY
  if (!given) return undefined
  if (given.includes('PRIVATE KEY')) return readKey(given, 'in HANGAR_SIGNING_KEY')
  if (!existsSync(given))
    throw new UserError('key', `HANGAR_SIGNING_KEY names '${given}', which is not there`, {
      hint: 'give the path of a private key, or its text',
    })
  return readKey(readFileSync(given, 'utf8'), `'${given}'`)
}

function readKey(text: string, where: string): Ed25519Key {
  try {
    return parsePrivateKey(text, where)
  } catch (error) {
    if (!(error instanceof UserError) || error.code === 'key') throw error
    throw new UserError('key', `cannot read the key ${where}: it is cut short`, {
      hint: 'take it from your copy of it',
    })
  }
}

const PURPOSE = {
  signing_key: 'signs your images: hosts accept updates from whoever has it',
  ssh_key: 'logs in to your hosts',
} as const

async function fileKey(
  directory: string,
  name: keyof typeof PURPOSE,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
): Promise<Ed25519Key | undefined> {
  const file = join(directory, name)
  if (existsSync(file)) return readOwn(file)
  if (env.CI === 'true') {
    reporter.warn(
      name === 'signing_key'
        ? "no signing key: the image is marked 'unsigned', and no device accepts it over the air"
        : 'no ssh key: only keys in the host file can log in',
    )
    return undefined
  }
  const key = keyFromSeed(randomBytes(32), name === 'signing_key' ? 'hangar signing' : 'hangar owner')
  if (!(await writePrivateFile(file, formatPrivateKey(key)))) return readOwn(file)
  await writeFile(`${file}.pub`, `${formatPublicKey(key)}\n`)
  reporter.notice(`made ${file}: it ${PURPOSE[name]}; keep a copy of it in a safe place`)
  return key
}

function readOwn(file: string): Ed25519Key {
  return readKey(readPrivateFile(file), `'${file}'`)
}
