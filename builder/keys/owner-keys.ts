import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import {
  type Ed25519Key,
  formatPrivateKey,
  formatPublicKey,
  keyFromSeed,
  parsePrivateKey,
} from '../../images/signature/openssh-key.ts'
import type { Reporter } from '../reporter.ts'

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

function givenKey(env: NodeJS.ProcessEnv): Ed25519Key | undefined {
  const given = env.HANGAR_SIGNING_KEY
  if (!given) return undefined
  if (given.includes('PRIVATE KEY')) return parsePrivateKey(given, 'in HANGAR_SIGNING_KEY')
  if (!existsSync(given))
    throw new UserError('key', `HANGAR_SIGNING_KEY names '${given}', which is not there`, {
      hint: 'give the path of a private key, or its text',
    })
  return parsePrivateKey(readFileSync(given, 'utf8'), `'${given}'`)
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
  if (existsSync(file)) return parsePrivateKey(readFileSync(file, 'utf8'), `'${file}'`)
  if (env.CI === 'true') {
    reporter.warn(
      name === 'signing_key'
        ? "no signing key: the image is marked 'unsigned', and no device accepts it over the air"
        : 'no ssh key: only keys in the host file can log in',
    )
    return undefined
  }
  const key = keyFromSeed(randomBytes(32), name === 'signing_key' ? 'hangar signing' : 'hangar owner')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  await writeWhole(`${file}.pub`, `${formatPublicKey(key)}\n`, 0o644)
  await writeWhole(file, formatPrivateKey(key), 0o600)
  reporter.notice(`made ${file}: it ${PURPOSE[name]}; keep a copy of it in a safe place`)
  return key
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const beside = `${file}.${process.pid}`
  await writeFile(beside, text, { mode, flush: true })
  await rename(beside, file)
}
