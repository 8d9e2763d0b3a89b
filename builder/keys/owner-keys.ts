import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
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
import { parseSigningKey } from '../../images/signature/public-key.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { keyDirectory } from '../../lib/user-directories.ts'
import { isKeyFile, readPrivateFile, writePrivateFile } from './key-file.ts'

/** How hangar signs images. No host accepts an unsigned image over the network. */
export type Signing =
  | { readonly kind: 'signed'; readonly key: Ed25519Key; readonly publicLine: string }
  | { readonly kind: 'unsigned' }

export interface OwnerKeys {
  readonly signing: Signing
  /** Public keys that may log in, in the format of `authorized_keys`. */
  readonly ssh: readonly string[]
}

/**
 * The owner's keys. hangar creates them at first use, but not when CI=true: then a missing key is left out.
 * `HANGAR_SIGNING_KEY` (a file, or the text of a key) overrides the signing key.
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
 * The owner's public signing keys on this machine: of the private key, or from a `signing_key.pub` on a machine that does
 * not build. Makes no key.
 */
export function ownSigningKeys(env: NodeJS.ProcessEnv): string[] {
  const given = givenKey(env)
  if (given !== undefined) return [formatPublicKey(given)]
  const file = join(keyDirectory(env), 'signing_key')
  if (isKeyFile(file)) return [formatPublicKey(readOwn(file))]
  return isKeyFile(`${file}.pub`) ? [readPublic(`${file}.pub`)] : []
}

function readPublic(file: string): string {
  try {
    return parseSigningKey(readFileSync(file, 'utf8').trim())
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError('key', `cannot read the public key '${file}': ${error.message}`, {
      hint: `copy signing_key.pub of the machine that builds to '${file}'`,
      cause: error,
    })
  }
}

function givenKey(env: NodeJS.ProcessEnv): Ed25519Key | undefined {
  const given = env.HANGAR_SIGNING_KEY
  if (!given) return undefined
  if (given.includes('PRIVATE KEY')) return readKey(given, 'in HANGAR_SIGNING_KEY')
  if (!isKeyFile(given))
    throw new UserError('key', `HANGAR_SIGNING_KEY names '${given}', which does not exist`, {
      hint: 'set HANGAR_SIGNING_KEY to the path of a private key, or to the text of the key',
    })
  return readKey(readFileSync(given, 'utf8'), `'${given}'`)
}

function readKey(text: string, where: string): Ed25519Key {
  try {
    return parsePrivateKey(text, where)
  } catch (error) {
    if (!(error instanceof UserError) || error.code === 'key') throw error
    throw new UserError('key', `cannot read the key ${where}: it is incomplete`, {
      hint: 'restore the key from your backup',
    })
  }
}

const PURPOSE = {
  signing_key: 'signs your images, and hosts accept updates that it signed',
  ssh_key: 'logs in to your hosts',
} as const

async function fileKey(
  directory: string,
  name: keyof typeof PURPOSE,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
): Promise<Ed25519Key | undefined> {
  const file = join(directory, name)
  if (isKeyFile(file)) return readOwn(file)
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
  reporter.notice(`made ${file}: it ${PURPOSE[name]}; keep a backup in a safe place`)
  return key
}

function readOwn(file: string): Ed25519Key {
  return readKey(readPrivateFile(file), `'${file}'`)
}
