import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { textBlob } from '../../../../builder/publish/store-blob.ts'
import { startDebianRegistry, USER } from '../../../helpers/debian-registry.ts'
import { fileServer } from '../../../helpers/file-server.ts'
import { repositoryAt } from '../../../helpers/registry-client.ts'
import { smallRegistry } from '../../../helpers/small-registry.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { startTokenServer } from '../../../helpers/token-server.ts'

const ENV = { HANGAR_REGISTRY_USER: USER.user, HANGAR_REGISTRY_PASSWORD: USER.password }
const BLOB = textBlob('words', 'words')
const LAYOUT = '{"schemaVersion":2}'

async function roundTrip({ repository }: ReturnType<typeof repositoryAt>) {
  await repository.put(BLOB, () => {})
  const file = join(await tempDirectory(), 'blob')
  await repository.fetch(BLOB, file, () => {})
  return repository.has(BLOB)
}

describe("Debian's registry with basic authentication", () => {
  it('basic authentication accepts the login from the environment', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    expect(await roundTrip(repositoryAt(port, { env: ENV }))).toBe(true)
  })

  it('basic authentication accepts the login that podman or docker stored', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    const file = join(await tempDirectory(), 'auth.json')
    const auth = Buffer.from(`${USER.user}:${USER.password}`).toString('base64')
    writeFileSync(file, JSON.stringify({ auths: { [`127.0.0.1:${port}`]: { auth } } }))
    expect(await roundTrip(repositoryAt(port, { env: { REGISTRY_AUTH_FILE: file } }))).toBe(true)
  })

  it('an unknown login ends the command with a hint', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    await expect(repositoryAt(port).repository.has(BLOB)).rejects.toMatchObject({
      message: `'127.0.0.1:${port}' wants a login, but hangar has no login for this registry`,
      hint: expect.stringContaining(`podman login 127.0.0.1:${port}`),
    })
  })

  it('a wrong password ends the command, and hangar does not print it', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    const env = { ...ENV, HANGAR_REGISTRY_PASSWORD: 'wrong pony' }
    const error = await repositoryAt(port, { env })
      .repository.has(BLOB)
      .catch((each) => each)
    expect(error).toMatchObject({ code: 'registry', message: expect.stringContaining('refused the login') })
    expect(`${error.message} ${error.hint}`).not.toContain('wrong pony')
  })
})

describe("Debian's registry with a token server", () => {
  async function both() {
    const tokens = await startTokenServer()
    const { port } = await startDebianRegistry({ kind: 'token', ...tokens })
    return { tokens, port }
  }

  it('requests one token, for this repository only', async () => {
    const { tokens, port } = await both()
    expect(await roundTrip(repositoryAt(port, { env: ENV }))).toBe(true)
    expect(tokens.asked).toEqual([{ user: USER.user, scopes: ['repository:hangar:pull,push'] }])
  })

  it('requests a read-only token for a pull', async () => {
    const { tokens, port } = await both()
    await repositoryAt(port, { env: ENV, actions: 'pull' }).repository.manifest({ tag: 'adama' })
    expect(tokens.asked).toEqual([{ user: USER.user, scopes: ['repository:hangar:pull'] }])
  })

  it('requests a new token when the first one expires during a transfer', async () => {
    const { tokens, port } = await both()
    const client = repositoryAt(port, { env: ENV })
    // The registry tolerates a clock difference of one minute.
    tokens.life = -120
    await expect(client.repository.has(BLOB)).rejects.toMatchObject({ code: 'registry' })
    tokens.life = 300
    expect(await roundTrip(client)).toBe(true)
    expect(tokens.asked.length).toBeGreaterThanOrEqual(2)
  })

  it('a token server that refuses the password ends the command with its reason', async () => {
    const { port } = await both()
    const env = { ...ENV, HANGAR_REGISTRY_PASSWORD: 'wrong pony' }
    await expect(repositoryAt(port, { env }).repository.has(BLOB)).rejects.toMatchObject({
      message: `'127.0.0.1:${port}' refused the login of 'builder'`,
    })
  })

  it('requests one token when several requests fail with 401 at the same time', async () => {
    const { tokens, port } = await both()
    const { repository } = repositoryAt(port, { env: ENV })
    await Promise.all(Array.from({ length: 6 }, () => repository.has(BLOB)))
    expect(tokens.asked).toHaveLength(1)
  })
})

describe('the authorization header', () => {
  const asksForBasic = (registry: Awaited<ReturnType<typeof smallRegistry>>, more = (_: string) => {}) => {
    registry.intercept = ({ headers }, response) => {
      more(headers.authorization ?? '')
      if (headers.authorization !== undefined) return false
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      return true
    }
  }

  it('sends no authorization header to a server that the registry redirects to', async () => {
    const shown: (string | undefined)[] = []
    const storage = await fileServer([
      [
        'blob',
        ({ headers }, response) => {
          shown.push(headers.authorization)
          response.end('words')
        },
      ],
    ])
    const registry = await smallRegistry()
    registry.intercept = ({ headers, method }, response) => {
      const status = headers.authorization === undefined ? 401 : 307
      if (status === 307 && method === 'HEAD') return false
      response.writeHead(status, { 'www-authenticate': 'Basic', location: `${storage.url}/blob` }).end()
      return true
    }
    const { repository } = repositoryAt(registry.port, { env: ENV })
    await repository.has(BLOB)
    await repository.fetch(BLOB, join(await tempDirectory(), 'blob'), () => {})
    expect(shown).toEqual([undefined])
  })

  it('sends no authorization header to another server that accepts an upload', async () => {
    const shown: (string | undefined)[] = []
    const other = createServer((request, response) => {
      shown.push(request.headers.authorization)
      request
        .resume()
        .on('end', () => response.writeHead(request.method === 'PATCH' ? 202 : 201, { location: '/' }).end())
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const registry = await smallRegistry()
    registry.intercept = ({ headers }, response) => {
      const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/upload`
      response
        .writeHead(headers.authorization === undefined ? 401 : 202, { 'www-authenticate': 'Basic', location })
        .end()
      return true
    }
    await repositoryAt(registry.port, { env: ENV }).repository.put(BLOB, () => {})
    expect(shown).toEqual([undefined, undefined])
  })

  it('sends the authorization header after the first 401, and with every later request', async () => {
    const shown: string[] = []
    const registry = await smallRegistry()
    asksForBasic(registry, (header) => void shown.push(header))
    const { repository } = repositoryAt(registry.port, { env: ENV })
    for (let count = 0; count < 3; count += 1) await repository.has(BLOB)
    const basic = `Basic ${Buffer.from(`${USER.user}:${USER.password}`).toString('base64')}`
    expect(shown).toEqual(['', basic, basic, basic])
  })

  it.each(['PATCH', 'PUT', 'GET'])('renews the token when the registry answers 401 to a %s', async (method) => {
    const registry = await smallRegistry()
    const client = repositoryAt(registry.port, { env: ENV })
    let forgets = true
    registry.intercept = (request, response) => {
      const isRefused = request.headers.authorization === undefined || (forgets && request.method === method)
      if (!isRefused) return false
      forgets &&= request.headers.authorization === undefined
      request.resume().on('end', () => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end())
      return true
    }
    expect(await roundTrip(client)).toBe(true)
    expect(forgets).toBe(false)
  })

  it('sends no password over http to the token server of an https registry', async () => {
    const { Authorization } = await import('../../../../builder/publish/registry/authorization.ts')
    const authorization = new Authorization({
      ...{ registry: 'registry.lab', name: 'hangar', actions: 'pull', transport: 'https' },
      credentials: async () => USER,
      request: { patience: { answer: 1000, window: 1000, bytes: 1 } },
    })
    await expect(authorization.renew(undefined, 'Bearer realm="http://127.0.0.1:9/token"')).rejects.toMatchObject({
      message: "'registry.lab' names the token server 'http://127.0.0.1:9/token', wanted an https server",
    })
  })

  it('sends no password for an unknown authentication scheme, and the error names the scheme', async () => {
    const registry = await smallRegistry()
    registry.intercept = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end()
      return true
    }
    await expect(repositoryAt(registry.port, { env: ENV }).repository.putManifest('a', LAYOUT)).rejects.toMatchObject({
      message: expect.stringContaining('wants an authentication scheme that hangar does not support'),
      hint: "the registry wants 'Negotiate'; hangar supports Basic and Bearer",
    })
  })
})

describe('a credential helper', () => {
  async function helper(script: string) {
    const directory = await tempDirectory()
    mkdirSync(join(directory, 'bin'))
    const file = join(directory, 'bin/docker-credential-test')
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
    const config = (text: object) => writeFileSync(join(directory, 'config.json'), JSON.stringify(text))
    const env = { DOCKER_CONFIG: directory, HOME: directory, PATH: `${join(directory, 'bin')}:${process.env.PATH}` }
    return { config, env }
  }

  it('runs the credential helper that the configuration names for the registry', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    const answer = JSON.stringify({ ServerURL: 'x', Username: USER.user, Secret: USER.password })
    const { config, env } = await helper(`test "$1 $(cat)" = "get 127.0.0.1:${port}" && echo '${answer}'`)
    config({ credHelpers: { [`127.0.0.1:${port}`]: 'test' } })
    expect(await roundTrip(repositoryAt(port, { env }))).toBe(true)
  })

  it('a credential helper without a login for the registry returns none', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    const { config, env } = await helper('echo "credentials not found in native keychain"; exit 1')
    config({ credsStore: 'test' })
    await expect(repositoryAt(port, { env }).repository.has(BLOB)).rejects.toMatchObject({
      message: expect.stringContaining('hangar has no login for this registry'),
    })
  })

  it('names a credential helper that fails, and does not print its output', async () => {
    const { port } = await startDebianRegistry({ kind: 'basic' })
    const { config, env } = await helper('echo "secret: hunter2"; exit 1')
    config({ credsStore: 'test' })
    const error = await repositoryAt(port, { env })
      .repository.has(BLOB)
      .catch((each) => each)
    expect(error.message).toBe("'docker-credential-test get' returned no login")
    expect(`${error.message}${error.hint}`).not.toContain('hunter2')
  })
})
