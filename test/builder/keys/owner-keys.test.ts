import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownerKeys, ownSigningKeys } from '../../../builder/keys/owner-keys.ts'
import { formatPrivateKey, formatPublicKey, keyFromSeed } from '../../../images/signature/openssh-key.ts'
import { keyDirectory } from '../../../lib/user-directories.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const OTHER = keyFromSeed(Buffer.alloc(32, 9), 'other')

/** An owner with an empty configuration directory. `keys` reads the keys as a build does. */
async function owner(given: NodeJS.ProcessEnv = {}) {
  const config = await tempDirectory()
  const reporter = listReporter()
  const env = { XDG_CONFIG_HOME: config, ...given }
  const directory = join(config, 'hangar')
  const put = (name: string, text: string, mode = 0o600) => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, name), text)
    chmodSync(join(directory, name), mode)
  }
  return { directory, reporter, put, keys: () => ownerKeys({ env, reporter }) }
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('ownerKeys', () => {
  it('makes keys at first use, with mode 0600 and a notice of their purpose', async () => {
    const { directory, reporter, keys } = await owner()
    const { signing, ssh } = await keys()
    expect(readdirSync(directory).sort()).toEqual(['signing_key', 'signing_key.pub', 'ssh_key', 'ssh_key.pub'])
    expect([mode(directory), mode(join(directory, 'signing_key')), mode(join(directory, 'ssh_key'))]).toEqual([
      '700',
      '600',
      '600',
    ])
    expect(signing).toMatchObject({
      kind: 'signed',
      publicLine: readFileSync(join(directory, 'signing_key.pub'), 'utf8').trim(),
    })
    expect(ssh).toEqual([readFileSync(join(directory, 'ssh_key.pub'), 'utf8').trim()])
    expect(reporter.notices).toEqual([
      `made ${directory}/signing_key: it signs your images, and hosts accept updates that it signed; keep a backup in a safe place`,
      `made ${directory}/ssh_key: it logs in to your hosts; keep a backup in a safe place`,
    ])
  })

  it('reads the same keys afterwards, without a notice', async () => {
    const { reporter, keys } = await owner()
    const first = await keys()
    reporter.notices.length = 0
    expect(await keys()).toEqual(first)
    expect(reporter.notices).toEqual([])
  })

  it('makes different keys for different owners', async () => {
    const [one, another] = [await (await owner()).keys(), await (await owner()).keys()]
    expect(one.ssh).not.toEqual(another.ssh)
    expect(one.signing).not.toEqual(another.signing)
  })

  it('makes each key once in two concurrent builds', async () => {
    const { directory, keys } = await owner()
    const all = await Promise.all([keys(), keys(), keys()])
    for (const each of all) expect(each).toEqual(all[0])
    expect(readdirSync(directory).sort()).toEqual(['signing_key', 'signing_key.pub', 'ssh_key', 'ssh_key.pub'])
  })

  it('prints no part of a private key', async () => {
    const { directory, reporter, keys, put } = await owner()
    await keys()
    const body = readFileSync(join(directory, 'signing_key'), 'utf8').split('\n').slice(1, -2)
    put('signing_key', body.join('\n'))
    const error = await keys().catch((each: Error) => each)
    const said = [
      ...reporter.notices,
      ...reporter.warnings,
      JSON.stringify(error),
      String(error),
      (error as Error).stack,
    ].join('\n')
    expect(said).toContain('signing_key')
    for (const line of body) expect(said).not.toContain(line.slice(0, 30))
  })
})

describe('HANGAR_SIGNING_KEY', () => {
  it.each(['text', 'file'])('HANGAR_SIGNING_KEY as a %s overrides the key in the directory', async (how) => {
    const { put, directory } = await owner()
    put('given', formatPrivateKey(OTHER))
    const given = how === 'text' ? formatPrivateKey(OTHER) : join(directory, 'given')
    const { keys, directory: own } = await owner({ HANGAR_SIGNING_KEY: given })
    expect((await keys()).signing).toMatchObject({ kind: 'signed', publicLine: formatPublicKey(OTHER) })
    expect(existsSync(join(own, 'signing_key'))).toBe(false)
  })

  it('fails when the file of HANGAR_SIGNING_KEY does not exist', async () => {
    const { keys } = await owner({ HANGAR_SIGNING_KEY: '/not/there' })
    await expect(keys()).rejects.toMatchObject({
      code: 'key',
      message: "HANGAR_SIGNING_KEY names '/not/there', which does not exist",
      hint: 'set HANGAR_SIGNING_KEY to the path of a private key, or to the text of the key',
    })
  })
})

describe('ownerKeys with CI=true', () => {
  it('makes no keys with CI=true, and warns that the image is unsigned', async () => {
    const { directory, reporter, keys } = await owner({ CI: 'true' })
    expect(await keys()).toEqual({ signing: { kind: 'unsigned' }, ssh: [] })
    expect(existsSync(directory)).toBe(false)
    expect(reporter.warnings[0]).toContain("the image is marked 'unsigned'")
  })

  it('signs with HANGAR_SIGNING_KEY when CI=true', async () => {
    const { keys } = await owner({ CI: 'true', HANGAR_SIGNING_KEY: formatPrivateKey(OTHER) })
    expect((await keys()).signing.kind).toBe('signed')
  })
})

describe('a key file', () => {
  it('refuses a key file that other users can read', async () => {
    const { directory, keys, put } = await owner()
    put('signing_key', formatPrivateKey(OTHER), 0o644)
    await expect(keys()).rejects.toMatchObject({
      code: 'key',
      message: `other users can read the private key '${directory}/signing_key': its mode is 0644, wanted 0600`,
      hint: expect.stringContaining(`chmod 600 '${directory}/signing_key'`),
    })
  })

  it.each([
    ['another text', 'hello', 'it is not an OpenSSH private key'],
    ['incomplete', formatPrivateKey(OTHER).replace(/\n.{70}\n(?=.+\n-----END)/, '\n'), 'it is incomplete'],
    ['empty', '', 'it is not an OpenSSH private key'],
  ])('names a key file that is %s, and never replaces it', async (_, text, reason) => {
    const { directory, keys, put } = await owner()
    put('signing_key', text)
    await expect(keys()).rejects.toMatchObject({
      code: 'key',
      message: expect.stringContaining(`cannot read the key '${directory}/signing_key': ${reason}`),
      hint: expect.any(String),
    })
    expect(readFileSync(join(directory, 'signing_key'), 'utf8')).toBe(text)
  })
})

describe('ownSigningKeys', () => {
  it('returns the public half of the private key, and makes no key', async () => {
    const { directory, keys } = await owner()
    const env = { XDG_CONFIG_HOME: join(directory, '..') }
    expect(ownSigningKeys(env)).toEqual([])
    expect(existsSync(directory)).toBe(false)
    const { signing } = await keys()
    expect(ownSigningKeys(env)).toEqual([signing.kind === 'signed' ? signing.publicLine : 'none'])
  })

  it('reads signing_key.pub on a machine without the private key', async () => {
    const { directory, put } = await owner()
    put('signing_key.pub', `${formatPublicKey(OTHER)}\n`, 0o644)
    expect(ownSigningKeys({ XDG_CONFIG_HOME: join(directory, '..') })).toEqual([formatPublicKey(OTHER)])
  })

  it.each([
    '',
    'notes',
    'ssh-ed25519 notbase64!',
    `${formatPublicKey(OTHER)}\n${formatPublicKey(OTHER)}`,
    'ssh-rsa AAAA',
  ])('refuses a signing_key.pub with the text %j', async (text) => {
    const { directory, put } = await owner()
    put('signing_key.pub', text, 0o644)
    expect(() => ownSigningKeys({ XDG_CONFIG_HOME: join(directory, '..') })).toThrow(
      expect.objectContaining({
        code: 'key',
        message: expect.stringContaining(`cannot read the public key '${directory}/signing_key.pub': `),
        hint: `copy signing_key.pub of the machine that builds to '${directory}/signing_key.pub'`,
      }),
    )
  })

  it('prefers HANGAR_SIGNING_KEY to files', async () => {
    const { directory, keys } = await owner()
    await keys()
    const env = { XDG_CONFIG_HOME: join(directory, '..'), HANGAR_SIGNING_KEY: formatPrivateKey(OTHER) }
    expect(ownSigningKeys(env)).toEqual([formatPublicKey(OTHER)])
  })
})

describe('keyDirectory', () => {
  it.each([
    [{ XDG_CONFIG_HOME: '/c', HOME: '/h' }, '/c/hangar'],
    [{ HOME: '/h' }, '/h/.config/hangar'],
  ])('uses the key directory %j', (env, directory) => {
    expect(keyDirectory(env)).toBe(directory)
  })
})
