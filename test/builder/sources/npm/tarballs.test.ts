import { describe, expect, it } from 'vitest'
import { registriesOf } from '../../../../builder/sources/npm/registry.ts'
import { fetchTarballs } from '../../../../builder/sources/npm/tarballs.ts'
import type { WantedTarball } from '../../../../builder/sources/npm/wanted-tarball.ts'
import { GoneError } from '../../../../builder/sources/source.ts'
import { openStore } from '../../../../builder/store/directory.ts'
import { digestOf } from '../../../../images/digest.ts'
import { sha512Of } from '../../../../images/npm/integrity.ts'
import { tarballPath } from '../../../../images/npm/name.ts'
import { breakingAfter, type Content, fileServer, sendBytes } from '../../../helpers/file-server.ts'
import { tarballOf, tgz } from '../../../helpers/npm-registry.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const GOOD = await tarballOf({ name: 'a', fields: { license: 'MIT' } })
const BROKEN = Buffer.from('\x1f\x8bno gzip', 'latin1')

const wanted = (bytes: Uint8Array = GOOD, name = 'a'): WantedTarball => {
  return { package: name, version: '1.0.0', path: tarballPath(name, '1.0.0'), integrity: sha512Of(bytes) }
}

async function laboratory(files: Readonly<Record<string, Content>>, settings: Readonly<Record<string, string>> = {}) {
  const server = await fileServer(Object.entries(files).map(([name, content]) => [tarballPath(name, '1.0.0'), content]))
  const store = await openStore(await tempDirectory())
  const options = { registries: registriesOf({ registry: server.url, ...settings }), backoff: 1 }
  return {
    ...{ server, store },
    fetch: (...tarballs: WantedTarball[]) => fetchTarballs(tarballs, options, { store, reporter: listReporter() }),
  }
}

const answer = (status: number, text = '', type = 'text/plain'): Content => {
  return (_, response) => void response.writeHead(status, { 'content-type': type }).end(text)
}

describe('fetchTarballs', () => {
  it('stores a tarball under its SHA-256, and returns the facts about it', async () => {
    const { fetch, store } = await laboratory({ a: GOOD })
    const facts = (await fetch(wanted(), wanted())).get(sha512Of(GOOD))
    expect(facts).toMatchObject({ sha256: digestOf(GOOD), size: GOOD.length, license: 'MIT', build: 'none' })
    expect(store.has(digestOf(GOOD), GOOD.length)).toBe(true)
  })

  it('asks again when a connection breaks or a server is busy', async () => {
    let requests = 0
    const content: Content = (_, response) => {
      requests += 1
      if (requests === 1) breakingAfter(10, GOOD)(_, response)
      else if (requests === 2) response.writeHead(503).end()
      else sendBytes(GOOD, undefined, response)
    }
    const { fetch } = await laboratory({ a: content })
    expect((await fetch(wanted())).size).toBe(1)
    expect(requests).toBe(3)
  })

  it('refuses bytes with another integrity, and keeps none of them', async () => {
    const other = await tarballOf({ name: 'a', files: { 'evil.js': '' } })
    const { fetch, store } = await laboratory({ a: other })
    await expect(fetch(wanted())).rejects.toMatchObject({
      code: 'digest',
      message: expect.stringContaining(`integrity ${sha512Of(other)}, expected ${sha512Of(GOOD)}`),
      hint: expect.stringContaining('hangar kept no byte of the file'),
    })
    expect(store.has(digestOf(other))).toBe(false)
  })

  it('names a web page instead of a tarball', async () => {
    const { fetch } = await laboratory({ a: answer(200, '<!doctype html><html>Log in</html>', 'text/html') })
    await expect(fetch(wanted())).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringContaining('the answer is a web page (text/html, 34 bytes)'),
      hint: expect.stringContaining('whether a proxy wants a login'),
    })
  })

  it('throws GoneError for tarballs that the registry lacks, and keeps the others', async () => {
    const { fetch, store } = await laboratory({ a: GOOD })
    const absent = { ...wanted(Buffer.from('x'), '@lab/b'), sha256: digestOf('x') }
    const error: unknown = await fetch(wanted(), absent).catch((each: unknown) => each)
    if (!(error instanceof GoneError)) throw error
    expect(error.gone).toEqual([{ source: 'npm', path: '@lab/b/-/b-1.0.0.tgz', sha256: digestOf('x') }])
    expect(error.message).toContain("cannot fetch '@lab/b@1.0.0' from the npm registry")
    expect(error.hint).toBe('lock newer versions: npm run lock -- --update')
    expect(store.has(digestOf(GOOD))).toBe(true)
  })

  it('is not a GoneError if another tarball failed for another reason', async () => {
    const { fetch } = await laboratory({ a: answer(500) })
    const error: unknown = await fetch(wanted(), wanted(Buffer.from('x'), 'b')).catch((each: unknown) => each)
    expect(error).not.toBeInstanceOf(GoneError)
    expect(error).toMatchObject({
      message: expect.stringMatching(/'a@1.0.0'[\s\S]*HTTP 500[\s\S]*and 1 more packages/),
    })
  })

  it('names a registry that does not answer', async () => {
    const { fetch } = await laboratory({}, { registry: 'http://127.0.0.1:9/' })
    await expect(fetch(wanted())).rejects.toMatchObject({
      code: 'fetch',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: expect.stringContaining('npm config get registry'),
    })
  })

  it('sends the token of the registry, and shows it nowhere', async () => {
    const sent: (string | undefined)[] = []
    const content: Content = (request, response) => {
      sent.push(request.headers.authorization)
      response.writeHead(401).end()
    }
    const { server } = await laboratory({ a: content })
    const { host } = new URL(server.url)
    const store = await openStore(await tempDirectory())
    const registries = registriesOf({ registry: `http://user:secret@${host}/`, [`//${host}/:_authToken`]: 'secret' })
    const error: unknown = await fetchTarballs([wanted()], { registries }, { store, reporter: listReporter() }).catch(
      (each) => each,
    )
    expect(sent).toEqual(['Bearer secret'])
    expect(error).toMatchObject({ code: 'fetch', hint: expect.stringContaining('npm login') })
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('secret')
  })

  it('refuses a tarball that hangar cannot unpack, and stores nothing', async () => {
    const odd = await tgz([{ name: 'package/../../evil', type: 'file', mode: 0o644, content: { text: '' } }])
    const { fetch, store } = await laboratory({ a: odd, b: BROKEN })
    await expect(fetch(wanted(odd))).rejects.toMatchObject({
      code: 'lock',
      message: "the tarball of 'a@1.0.0' contains 'package/../../evil', a path with '..'",
    })
    await expect(fetch(wanted(BROKEN, 'b'))).rejects.toMatchObject({
      message: expect.stringContaining("'b@1.0.0' is no gzip file"),
    })
    expect([store.has(digestOf(odd)), store.has(digestOf(BROKEN))]).toEqual([false, false])
  })
})
