import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { credentialsFor } from '../../../../builder/publish/registry/credentials.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const auth = (user: string, password: string) => ({ auth: Buffer.from(`${user}:${password}`).toString('base64') })

async function home(files: Record<string, object | string> = {}) {
  const HOME = await tempDirectory()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(HOME, name)), { recursive: true })
    writeFileSync(join(HOME, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return { HOME }
}

const find = (env: NodeJS.ProcessEnv, name = 'lab/hangar') => credentialsFor('registry.lab', name, env)

describe('credentialsFor', () => {
  it('prefers environment variables to files', async () => {
    const env = await home({ '.docker/config.json': { auths: { 'registry.lab': auth('a', 'b') } } })
    const given = { HANGAR_REGISTRY_USER: 'me', HANGAR_REGISTRY_PASSWORD: 'secret' }
    expect(await find({ ...env, ...given })).toEqual({ user: 'me', password: 'secret' })
  })

  it('refuses a user name without a password', async () => {
    await expect(find({ ...(await home()), HANGAR_REGISTRY_USER: 'me' })).rejects.toThrow(
      'HANGAR_REGISTRY_PASSWORD is not set, but the other variable of the login is set',
    )
  })

  it.each([
    ['.docker/config.json', {}],
    ['.config/containers/auth.json', {}],
    ['elsewhere/config.json', { DOCKER_CONFIG: 'elsewhere' }],
    ['run/containers/auth.json', { XDG_RUNTIME_DIR: 'run' }],
    ['logins.json', { REGISTRY_AUTH_FILE: 'logins.json' }],
  ])('reads the login in %s', async (file, given: Record<string, string>) => {
    const { HOME } = await home({ [file]: { auths: { 'registry.lab': auth('me', 'a:b') } } })
    const env = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, join(HOME, value)]))
    expect(await find({ HOME, ...env })).toEqual({ user: 'me', password: 'a:b' })
  })

  it('prefers the login for the longest part of the repository name', async () => {
    const auths = {
      'registry.lab': auth('all', 'x'),
      'registry.lab/lab': auth('lab', 'x'),
      'registry.lab/l': auth('no', 'x'),
    }
    const env = await home({ '.config/containers/auth.json': { auths } })
    expect(await find(env)).toMatchObject({ user: 'lab' })
    expect(await find(env, 'other/hangar')).toMatchObject({ user: 'all' })
  })

  it('reads the registry keys that docker login writes', async () => {
    const env = await home({ '.docker/config.json': { auths: { 'https://registry.lab/v2/': auth('me', 'x') } } })
    expect(await find(env)).toMatchObject({ user: 'me' })
  })

  it('returns undefined for a registry without a login', async () => {
    expect(await find(await home())).toBeUndefined()
    expect(await find(await home({ '.docker/config.json': { auths: { other: auth('me', 'x') } } }))).toBeUndefined()
    expect(await find(await home({ '.docker/config.json': { auths: { 'registry.lab': {} } } }))).toBeUndefined()
  })

  it('refuses a stored identity token, and does not print the token', async () => {
    const env = await home({ '.docker/config.json': { auths: { 'registry.lab': { identitytoken: 'hunter2' } } } })
    const error = await find(env).catch((each) => each)
    expect(error.message).toContain("the login for 'registry.lab'")
    expect(`${error.message}${error.hint}${error.stack}`).not.toContain('hunter2')
  })

  it('refuses a credentials file that it cannot parse, and prints no part of it', async () => {
    const env = await home({ '.docker/config.json': '{"auths": hunter2' })
    const error = await find(env).catch((each) => each)
    expect(error).toMatchObject({ code: 'registry', message: expect.stringContaining('cannot read the logins in') })
    expect(`${error.message}${error.hint}${error.stack}${error.cause}`).not.toContain('hunter2')
  })
})
