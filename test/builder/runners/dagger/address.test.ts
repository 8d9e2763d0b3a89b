import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { engineAddress } from '../../../../builder/runners/dagger/address.ts'
import { requireReachable } from '../../../../builder/runners/dagger/reach.ts'
import { UserError } from '../../../../errors.ts'
import { oddStrings } from '../../../helpers/odd-strings.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const addressOf = (text: string) => engineAddress({ _EXPERIMENTAL_DAGGER_RUNNER_HOST: text })

describe('engineAddress', () => {
  it.each([
    ['unix:///run/dagger/engine.sock', { kind: 'socket', path: '/run/dagger/engine.sock' }],
    ['tcp://builder:8080', { kind: 'tcp', host: 'builder', port: 8080 }],
    ['tcp://[fd00::1]:8080', { kind: 'tcp', host: 'fd00::1', port: 8080 }],
    ['tls://builder:8443', { kind: 'tcp', host: 'builder', port: 8443 }],
    ['ssh://root@builder', { kind: 'through-program' }],
    ['container://dagger-engine', { kind: 'through-program' }],
    ['docker-container://dagger-engine', { kind: 'through-program' }],
    ['container+podman://dagger-engine', { kind: 'through-program' }],
    ['kube-pod://dagger-engine?namespace=dagger', { kind: 'through-program' }],
    ['image://registry.example/engine:v1', { kind: 'image' }],
    ['docker-image://registry.example/engine:v1', { kind: 'image' }],
    ['image+podman://registry.example/engine:v1', { kind: 'image' }],
  ])('parses %s', (text, address) => {
    expect(addressOf(text)).toEqual({ ...address, name: text })
  })

  it('uses a container engine when the environment names no engine', () => {
    expect(engineAddress({})).toEqual({ kind: 'image', name: 'a container engine' })
  })

  it('uses an open session first, and requires its token', () => {
    const env = { DAGGER_SESSION_PORT: '1234', _EXPERIMENTAL_DAGGER_RUNNER_HOST: 'nonsense' }
    expect(engineAddress({ ...env, DAGGER_SESSION_TOKEN: 'token' })).toEqual({
      ...{ kind: 'session', name: '127.0.0.1:1234' },
      ...{ port: 1234, token: 'token' },
    })
    expect(() => engineAddress(env)).toThrow("DAGGER_SESSION_PORT is '1234', but DAGGER_SESSION_TOKEN is empty")
    expect(() => engineAddress({ DAGGER_SESSION_PORT: 'http' })).toThrow(
      "DAGGER_SESSION_PORT is 'http', wanted the port",
    )
  })

  it.each([
    ['/run/dagger/engine.sock', 'it has no scheme', 'unix:///run/dagger/engine.sock'],
    ['builder:8080', 'it has no scheme', 'tcp://builder:8080'],
    ['builder', 'it has no scheme', 'tcp://builder:8080'],
    ['http://builder:8080', "Dagger's CLI does not know the scheme 'http'", 'tcp://builder:8080'],
    ['unix://run/engine.sock', 'the path of a socket is absolute', 'unix:///run/engine.sock'],
    ['unix:/run/engine.sock', 'it has no scheme', 'unix:///run/dagger/engine.sock'],
    ['unix:///a b/engine.sock', 'encodes special characters', 'unix:///run/dagger/engine.sock'],
    ['unix:///a%20b', 'encodes special characters', 'unix:///run/dagger/engine.sock'],
    ['tcp://builder', 'it needs a host and a port', 'tcp://builder:8080'],
    ['tcp://builder:0', 'it needs a host and a port', 'tcp://builder:8080'],
    ['tcp://builder:65536', 'it needs a host and a port', 'tcp://builder:8080'],
    ['tcp://fd00::1:8080', 'it needs a host and a port', 'tcp://fd00:8080'],
  ])('refuses %s with the form that works', (text, problem, instead) => {
    expect(() => addressOf(text)).toThrow(
      expect.objectContaining({
        code: 'engine',
        message: expect.stringMatching(new RegExp(`^_EXPERIMENTAL_DAGGER_RUNNER_HOST is '.*': .*${problem}`)),
        hint: expect.stringContaining(`_EXPERIMENTAL_DAGGER_RUNNER_HOST=${instead}. `),
      }),
    )
  })

  it('parses or refuses every string, and refuses with a hint', () => {
    const schemes = ['', 'unix://', 'unix:///', 'tcp://', 'tcp://[', 'ssh://', 'image://', '://']
    const odd = oddStrings('builder:8080')
    for (const text of schemes.flatMap((scheme) => odd.map((each) => `${scheme}${each}`)).filter(Boolean)) {
      try {
        expect(addressOf(text).name).toBe(text)
      } catch (error) {
        expect(error, JSON.stringify(text)).toBeInstanceOf(UserError)
        expect((error as UserError).hint).toContain('unix:///PATH, tcp://HOST:PORT')
      }
    }
  })
})

const problemOf = (text: string, signal = new AbortController().signal) =>
  requireReachable(addressOf(text), { signal, timeout: 10_000 }).then(
    () => undefined,
    (error: unknown) => error,
  )

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('requireReachable', () => {
  it('accepts a socket and a port that listen', async () => {
    const socket = join(await tempDirectory(), 'engine.sock')
    for (const at of [{ path: socket }, { host: '127.0.0.1', port: 0 }]) {
      const server = createServer().listen(at)
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      const address = server.address() as string | AddressInfo
      const text = typeof address === 'string' ? `unix://${address}` : `tcp://127.0.0.1:${address.port}`
      expect(await problemOf(text)).toBeUndefined()
    }
  })

  it.each([
    ['a missing socket', async (at: string) => `unix://${at}/none.sock`, 'the socket does not exist (ENOENT)'],
    ['a socket below a file', async () => 'unix:///etc/passwd/none.sock', 'the socket does not exist (ENOTDIR)'],
    ['a directory', async (at: string) => `unix://${at}`, 'it is not a socket'],
    ['a file', async () => 'unix:///etc/passwd', 'it is not a socket'],
    ['a refused port', async () => `tcp://127.0.0.1:${await freePort()}`, 'connection refused (ECONNREFUSED)'],
  ])('reports %s with the reason of the system', async (_, make, reason) => {
    const directory = await tempDirectory()
    mkdirSync(join(directory, 'engine'))
    const text = await make(join(directory, 'engine'))
    expect(await problemOf(text)).toMatchObject({
      code: 'engine',
      message: `cannot reach the Dagger engine at '${text}': ${reason}`,
      hint: expect.stringMatching(/unix:\/\/\/PATH, tcp:\/\/HOST:PORT.*--runner local$/),
    })
  })

  it('reports an unknown host', async () => {
    expect(await problemOf('tcp://nowhere.invalid:8080')).toMatchObject({
      message: expect.stringMatching(/: (unknown host \(ENOTFOUND\)|the name servers do not answer .*\(EAI_AGAIN\))$/),
    })
  })

  it('ends at an abort with its reason', async () => {
    const stop = new AbortController()
    const reason = new Error('stopped')
    stop.abort(reason)
    expect(await problemOf('tcp://127.0.0.1:9', stop.signal)).toBe(reason)
  })

  it('connects to nothing when only the CLI can connect', async () => {
    expect(await problemOf('container://none')).toBeUndefined()
  })
})
