import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type FetchOptions, fetchObjects } from '../../../../../builder/sources/debian/archive/fetch.ts'
import type { Wanted } from '../../../../../builder/sources/debian/archive/suites.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import { digestOf } from '../../../../../images/digest.ts'
import { type Content, fileServer, type Handler, sendBytes } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const BYTES = Buffer.from('the bytes that were meant '.repeat(20_000))
const PACE = { every: 40, grace: 2, factor: 4, floor: 200_000, short: 1 }
const PATIENCE = { answer: 20_000, window: 20_000, bytes: 1 }

const wantedFor = (path: string, bytes: Buffer): Wanted => ({
  ...{ archive: 'debian', path, size: bytes.length },
  sha256: digestOf(bytes),
})
const WANTED = wantedFor('pool/a.deb', BYTES)

/** Sends about `rate` bytes each second, also from an offset. `sent` counts them. */
function trickling(bytes: Buffer, rate: number, sent = { bytes: 0 }): Handler {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = { 'content-length': bytes.length - from }
    if (from === 0) response.writeHead(200, headers)
    else response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
    trickle(bytes.subarray(from), rate, response, sent)
  }
}

function trickle(bytes: Buffer, rate: number, response: ServerResponse, sent: { bytes: number }): void {
  const portion = Math.ceil(rate / 50)
  let at = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + portion))
    at += portion
    sent.bytes += portion
    if (at >= bytes.length) response.end()
  }, 20)
  response.once('close', () => clearInterval(timer))
}

async function fetchFrom(mirrors: readonly string[], wanted: readonly Wanted[] = [WANTED], more: object = {}) {
  const store = await openStore(await tempDirectory())
  const options: FetchOptions = {
    ...{ store, reporter: listReporter(), patience: PATIENCE, pace: PACE, backoff: 5 },
    ...{ mirrors: { debian: mirrors, 'debian-security': [] }, ...more },
  }
  await fetchObjects(wanted, options)
  return wanted.every(({ sha256 }) => digestOf(readFileSync(store.path(sha256))) === sha256)
}

const serverOf = (content: Content, path = WANTED.path) => fileServer([[path, content]])

describe('a slow transfer', () => {
  it('a slow transfer continues at another mirror, from the byte that it reached', async () => {
    const sent = { bytes: 0 }
    const slow = await serverOf(trickling(BYTES, 20_000, sent))
    const quick = await serverOf(BYTES)
    expect(await fetchFrom([slow.url, quick.url])).toBe(true)
    expect(slow.requests).toEqual([WANTED.path])
    expect(quick.requests).toEqual([expect.stringMatching(/^pool\/a\.deb bytes=[1-9]\d*-$/)])
    expect(sent.bytes).toBeLessThan(BYTES.length / 4)
  })

  it('a slow transfer stays at the only mirror', async () => {
    const bytes = BYTES.subarray(0, 20_000)
    const slow = await serverOf(trickling(bytes, 40_000))
    expect(await fetchFrom([slow.url], [wantedFor(WANTED.path, bytes)], { pace: { ...PACE, short: 0 } })).toBe(true)
    expect(slow.requests).toEqual([WANTED.path])
  })

  it('a slow transfer changes at most 4 times between two mirrors that are equally slow', async () => {
    const bytes = BYTES.subarray(0, 60_000)
    const [one, other] = [await serverOf(trickling(bytes, 60_000)), await serverOf(trickling(bytes, 60_000))]
    const pace = { ...PACE, short: 0 }
    expect(await fetchFrom([one.url, other.url], [wantedFor(WANTED.path, bytes)], { pace })).toBe(true)
    expect(one.requests.length + other.requests.length).toBeLessThanOrEqual(1 + 4)
  })

  it('a slow transfer returns to its mirror when the others lack the file or do not answer', async () => {
    const bytes = BYTES.subarray(0, 40_000)
    const [slow, empty] = [await serverOf(trickling(bytes, 80_000)), await fileServer()]
    const pace = { ...PACE, short: 0 }
    const mirrors = [slow.url, empty.url, 'http://127.0.0.1:9']
    expect(await fetchFrom(mirrors, [wantedFor(WANTED.path, bytes)], { pace })).toBe(true)
    expect(slow.requests.at(-1)).toMatch(/bytes=[1-9]\d*-$/)
    expect(empty.requests.length).toBe(1)
  })

  it('a slow transfer stays at its mirror if it ends soon', async () => {
    const bytes = BYTES.subarray(0, 10_000)
    const [slow, quick] = [await serverOf(trickling(bytes, 20_000)), await serverOf(bytes)]
    expect(await fetchFrom([slow.url, quick.url], [wantedFor(WANTED.path, bytes)])).toBe(true)
    expect(quick.requests).toEqual([])
  })

  it('a transfer that stalls continues at another mirror, long before the patience ends', async () => {
    const stalled = await serverOf((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length })
      response.write(BYTES.subarray(0, 1000))
    })
    const quick = await serverOf(BYTES)
    const patience = { answer: 600_000, window: 600_000, bytes: 1 }
    expect(await fetchFrom([stalled.url, quick.url], [WANTED], { patience })).toBe(true)
    expect(quick.requests).toEqual([`${WANTED.path} bytes=1000-`])
  })

  it('a transfer stays at the first mirror while that is fast enough', async () => {
    const [first, second] = [await serverOf(trickling(BYTES, 4_000_000)), await serverOf(BYTES)]
    expect(await fetchFrom([first.url, second.url], [WANTED], { pace: { ...PACE, short: 0 } })).toBe(true)
    expect(second.requests).toEqual([])
  })
})

describe('many files at a slow mirror', () => {
  it('later files begin at the faster mirror', async () => {
    const files = Array.from({ length: 80 }, (_, index) => [`pool/${index}.deb`, Buffer.alloc(200_000, index)] as const)
    const slow = await fileServer(files.map(([path, bytes]) => [path, trickling(bytes, 5000)]))
    const quick = await fileServer(files)
    const wanted = files.map(([path, bytes]) => wantedFor(path, bytes))
    expect(await fetchFrom([slow.url, quick.url], wanted)).toBe(true)
    expect(slow.requests.length).toBeLessThan(files.length / 2)
    expect(quick.requests.some((request) => !request.includes('bytes='))).toBe(true)
  })

  it('a connection far below the others of its server begins again on a new connection', async () => {
    const big = Buffer.alloc(3_000_000, 'b')
    const slow = wantedFor('pool/slow.deb', BYTES)
    let tries = 0
    const server = await fileServer([
      ['pool/big.deb', trickling(big, 3_000_000)],
      [
        slow.path,
        (request, response) => {
          tries += 1
          if (tries === 1) trickling(BYTES, 5000)(request, response)
          else sendBytes(BYTES, request.headers.range, response)
        },
      ],
    ])
    expect(await fetchFrom([server.url], [wantedFor('pool/big.deb', big), slow])).toBe(true)
    expect(server.requests.filter((request) => request.startsWith(slow.path))).toHaveLength(2)
  })
})
