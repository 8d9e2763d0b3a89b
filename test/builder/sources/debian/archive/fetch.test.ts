import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FetchOptions, fetchObjects } from '../../../../../builder/sources/debian/archive/fetch.ts'
import { SILENT_TRIES } from '../../../../../builder/sources/debian/archive/health.ts'
import type { Wanted } from '../../../../../builder/sources/debian/archive/suites.ts'
import { GoneError } from '../../../../../builder/sources/source.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import type { Store } from '../../../../../builder/store/store.ts'
import { digestOf } from '../../../../../images/digest.ts'
import {
  breakingAfter,
  type FileServer,
  fileServer,
  type Handler,
  sendBytes,
  stallingAfter,
} from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const BYTES = Buffer.from('the bytes that were meant '.repeat(10_000))
const PATH = 'pool/main/a+b_1.0~1.deb'
const WANTED: Wanted = { archive: 'debian', path: PATH, sha256: digestOf(BYTES), size: BYTES.length }
const IMPATIENT = { answer: 1000, window: 1000, bytes: 100 }
/** A request that continues: on a busy machine, not all of the first bytes arrive before the connection breaks. */
const CONTINUED = expect.stringMatching(/^pool\/main\/a\+b_1\.0~1\.deb bytes=[1-9]\d*-$/)
const NOWHERE = 'http://127.0.0.1:9'

async function setting(mirrors: readonly string[], more: Partial<FetchOptions> = {}) {
  const store = await openStore(await tempDirectory())
  const reporter = listReporter()
  // A busy machine may take long to answer. Only the tests of silent servers use the short timeout.
  const patience = { answer: 20_000, window: 20_000, bytes: 100 }
  const options = {
    store,
    reporter,
    patience,
    backoff: 5,
    mirrors: { debian: mirrors, 'debian-security': [] },
    ...more,
  }
  return { store, reporter, fetch: (wanted: readonly Wanted[] = [WANTED]) => fetchObjects(wanted, options) }
}

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
}

/** Whether the store has exactly these bytes, and no temporary files. */
function holds(store: Store): boolean {
  expect(readdirSync(join(store.root, 'tmp'))).toEqual([])
  return store.has(WANTED.sha256, WANTED.size) && readFileSync(store.path(WANTED.sha256)).equals(BYTES)
}

describe('fetchObjects', () => {
  it('stores a fetched file under its digest, and reports the step', async () => {
    const server = await fileServer([[PATH, BYTES]])
    const { store, reporter, fetch } = await setting([server.url])
    await fetch()
    expect(holds(store)).toBe(true)
    expect(reporter.ended).toEqual(['fetch a+b_1.0~1.deb: fetched'])
  })

  it('requests no file that the store already has', async () => {
    const server = await fileServer([[PATH, BYTES]])
    const { reporter, fetch } = await setting([server.url])
    await fetch([WANTED, WANTED])
    await fetch()
    expect(server.requests).toEqual([PATH])
    expect(reporter.ended).toHaveLength(1)
  })

  it('fetches many files over few connections', async () => {
    const files = Array.from({ length: 200 }, (_, index) => Buffer.from(`file ${index}`))
    const server = await fileServer(files.map((bytes, index) => [`${index}`, bytes]))
    const { store, fetch } = await setting([server.url])
    await fetch(
      files.map((bytes, index) => ({ ...WANTED, path: `${index}`, sha256: digestOf(bytes), size: bytes.length })),
    )
    expect(files.every((bytes) => store.has(digestOf(bytes), bytes.length))).toBe(true)
  })

  it('asks the mirrors in order, then the last resort', async () => {
    const [first, second, last] = [await fileServer(), await fileServer(), await fileServer([[PATH, BYTES]])]
    const { store, fetch } = await setting([first.url, second.url], {
      lastResort: { debian: [last.url], 'debian-security': [] },
    })
    await fetch()
    expect([first, second, last].map(({ requests }) => requests.length)).toEqual([1, 1, 1])
    expect(holds(store)).toBe(true)
  })

  it('follows a redirect of a mirror', async () => {
    const target = await fileServer([['elsewhere', BYTES]])
    const server = await fileServer([
      [PATH, (_, response) => response.writeHead(302, { location: `${target.url}/elsewhere` }).end()],
    ])
    const { store, fetch } = await setting([server.url])
    await fetch()
    expect(holds(store)).toBe(true)
  })
})

describe('a transfer that breaks', () => {
  it('continues a broken transfer on the next mirror', async () => {
    const broken = await fileServer([[PATH, breakingAfter(100_000, BYTES)]])
    const whole = await fileServer([[PATH, BYTES]])
    const { store, fetch } = await setting([broken.url, whole.url])
    await fetch()
    expect(whole.requests).toEqual([CONTINUED])
    expect(holds(store)).toBe(true)
  })

  it('continues a broken transfer on the same mirror when there is no other', async () => {
    const server = await fileServer()
    server.files.set(PATH, (request, response) => {
      server.files.set(PATH, BYTES)
      breakingAfter(100_000, BYTES)(request, response)
    })
    const { store, fetch } = await setting([server.url])
    await fetch()
    expect(server.requests).toEqual([PATH, CONTINUED])
    expect(holds(store)).toBe(true)
  })

  it('starts a broken transfer again on a server that does not support ranges', async () => {
    const broken = await fileServer([[PATH, breakingAfter(100_000, BYTES)]])
    const plain = await fileServer([[PATH, (_, response) => sendBytes(BYTES, undefined, response)]])
    const { store, fetch } = await setting([broken.url, plain.url])
    await fetch()
    expect(holds(store)).toBe(true)
  })

  it('does not blame a good mirror for the wrong first bytes of a bad mirror', async () => {
    const bad = await fileServer([[PATH, breakingAfter(100_000, Buffer.alloc(BYTES.length))]])
    const good = await fileServer([[PATH, BYTES]])
    const { store, fetch } = await setting([bad.url, good.url])
    await fetch()
    expect(good.requests).toEqual([CONTINUED, PATH])
    expect(holds(store)).toBe(true)
  })

  it('fails a broken transfer after some tries with the reason of each', async () => {
    const server = await fileServer([[PATH, (_, response) => response.destroy()]])
    const { fetch } = await setting([server.url])
    const { code, message, hint } = await failure(fetch())
    expect(code).toBe('fetch')
    expect(message).toMatch(`cannot fetch '${PATH}' of 'debian':\n  ${server.url}/`)
    expect(hint).toContain('HANGAR_DEBIAN_MIRROR=URL')
    expect(server.requests.length).toBe(SILENT_TRIES)
  })
})

describe('a slow mirror', () => {
  it('replaces a slow mirror by the next one, and keeps the bytes that arrived', async () => {
    const slow = await fileServer([[PATH, stallingAfter(100_000, BYTES)]])
    const quick = await fileServer([[PATH, BYTES]])
    const { store, fetch } = await setting([slow.url, quick.url], { patience: IMPATIENT })
    await fetch()
    expect(quick.requests).toEqual([CONTINUED])
    expect(holds(store)).toBe(true)
  })

  it('replaces a mirror that does not answer by the next one', async () => {
    const [silent, good] = [await fileServer([[PATH, () => {}]]), await fileServer([[PATH, BYTES]])]
    const { store, fetch } = await setting([silent.url, good.url], { patience: IMPATIENT })
    await fetch()
    expect(holds(store)).toBe(true)
  })

  it('a slow mirror does not delay every file', async () => {
    const silent = await fileServer()
    const names = Array.from({ length: 64 }, (_, index) => `file-${index}`)
    for (const name of names) silent.files.set(name, () => {})
    const good = await fileServer(names.map((name) => [name, Buffer.from(name)]))
    const { fetch } = await setting([silent.url, good.url], { patience: IMPATIENT })
    await fetch(names.map((path) => ({ ...WANTED, path, sha256: digestOf(path), size: path.length })))
    expect(silent.requests.length).toBeLessThan(names.length / 2)
  })
})

describe('a file with another digest', () => {
  it('refuses a file with another digest, names both digests and the URL, and does not keep it', async () => {
    const wrong = Buffer.alloc(BYTES.length)
    const server = await fileServer([[PATH, wrong]])
    const { store, fetch } = await setting([server.url])
    const { code, message, hint } = await failure(fetch())
    expect(code).toBe('digest')
    expect(message).toContain(
      `${server.url}/pool/main/a%2Bb_1.0~1.deb: SHA-256 ${digestOf(wrong)}, expected ${WANTED.sha256}`,
    )
    expect(hint).toBe('hangar kept no byte of the file; use another mirror: HANGAR_DEBIAN_MIRROR=URL')
    expect(holds(store)).toBe(false)
    expect(existsSync(store.path(digestOf(wrong)))).toBe(false)
  })

  it('fetches a file with another digest from the next mirror', async () => {
    const [wrong, good] = [await fileServer([[PATH, Buffer.from('short')]]), await fileServer([[PATH, BYTES]])]
    const { store, fetch } = await setting([wrong.url, good.url])
    await fetch()
    expect(holds(store)).toBe(true)
  })

  it('names a web page that came instead of the file, and hints at the login of a network', async () => {
    const page: Handler = (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    const server = await fileServer([[PATH, page]])
    const { fetch } = await setting([server.url])
    const { code, message, hint } = await failure(fetch())
    expect([code, message]).toEqual([
      'fetch',
      expect.stringContaining(`a web page ('text/html'): 6 bytes, expected ${BYTES.length}`),
    ])
    expect(hint).toContain('open any site in a browser')
  })

  it('refuses a file as soon as it is longer than expected', async () => {
    const server = await fileServer([[PATH, Buffer.concat([BYTES, BYTES])]])
    const { fetch } = await setting([server.url])
    expect((await failure(fetch())).message).toContain(`more than the ${BYTES.length} bytes expected`)
  })
})

describe('files that no mirror has', () => {
  const other = Buffer.from('other')
  const others: Wanted = { ...WANTED, path: 'other', sha256: digestOf(other), size: other.length }

  it('reports files that no mirror has as gone by name, and keeps the other files', async () => {
    const server = await fileServer([['other', other]])
    const { store, fetch } = await setting([server.url, NOWHERE])
    const error = await failure(fetch([WANTED, others, { ...WANTED, path: 'third', sha256: digestOf('third') }]))
    expect(error).toBeInstanceOf(GoneError)
    expect((error as unknown as GoneError).gone.map(({ path }) => path).sort()).toEqual([PATH, 'third'])
    expect(error.message).toContain('HTTP 404 Not Found')
    expect(error.message).toContain('and 1 more files')
    expect(error.hint).toContain('npm run lock')
    expect(store.has(others.sha256)).toBe(true)
  })

  it('reports a file as gone although the last resort fails for another reason', async () => {
    const [server, last] = [
      await fileServer(),
      await fileServer([[PATH, (_, response) => response.writeHead(429).end()]]),
    ]
    const { fetch } = await setting([server.url], { lastResort: { debian: [last.url], 'debian-security': [] } })
    expect(await failure(fetch())).toBeInstanceOf(GoneError)
  })

  it.each([
    ['no mirror answers', () => [NOWHERE]],
    ['a mirror answers with an error of its own', (troubled: FileServer) => [troubled.url]],
  ])('does not report a file as gone when %s', async (_, mirrors) => {
    const troubled = await fileServer([[PATH, (_, response) => response.writeHead(503).end()]])
    const { fetch } = await setting(mirrors(troubled))
    const error = await failure(fetch())
    expect(error.code).toBe('fetch')
    expect(error).not.toBeInstanceOf(GoneError)
  })
})

describe('Ctrl-C', () => {
  it('Ctrl-C ends the fetch with its own reason and leaves no partial file', async () => {
    const interrupt = new AbortController()
    const server = await fileServer([[PATH, stallingAfter(100_000, BYTES)]])
    const { store, fetch } = await setting([server.url], {
      signal: interrupt.signal,
      patience: { answer: 60_000, window: 60_000, bytes: 1 },
    })
    const fetching = failure(fetch())
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    interrupt.abort(new Error('Ctrl-C'))
    expect((await fetching).message).toBe('Ctrl-C')
    expect(holds(store)).toBe(false)
  })
})
