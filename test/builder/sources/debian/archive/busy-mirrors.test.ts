import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { fetchObjects } from '../../../../../builder/sources/debian/archive/fetch.ts'
import { BUSY_TRIES } from '../../../../../builder/sources/debian/archive/health.ts'
import type { Wanted } from '../../../../../builder/sources/debian/archive/suites.ts'
import { GoneError } from '../../../../../builder/sources/source.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import { digestOf } from '../../../../../images/digest.ts'
import { LONGEST_RETRY_AFTER } from '../../../../../lib/backoff.ts'
import { fakeTiming } from '../../../../helpers/fake-timing.ts'
import { fileServer, sendBytes } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const FILES = Array.from({ length: 100 }, (_, index) => [`pool/${index}.deb`, Buffer.from(`file ${index}`)] as const)
const WANTED: readonly Wanted[] = FILES.map(([path, bytes]) => {
  return { archive: 'debian', path, size: bytes.length, sha256: digestOf(bytes) }
})

type Refuse = (response: ServerResponse, request: IncomingMessage) => void
const busy =
  (headers: Record<string, string> = {}): Refuse =>
  (response) =>
    void response.writeHead(503, headers).end()

/** A mirror that refuses while `isBusy` is true. */
async function mirror(isBusy: () => boolean, refuse: Refuse = busy()) {
  const counts = { refused: 0, sent: 0 }
  const server = await fileServer(
    FILES.map(([path, bytes]) => [
      path,
      (request, response) => {
        counts[isBusy() ? 'refused' : 'sent'] += 1
        if (isBusy()) refuse(response, request)
        else sendBytes(bytes, request.headers.range, response)
      },
    ]),
  )
  return { ...server, counts }
}

async function fetchFrom(mirrors: readonly string[], timing = fakeTiming(), backoff = 500) {
  const [store, reporter] = [await openStore(await tempDirectory()), listReporter()]
  const patience = { answer: 20_000, window: 20_000, bytes: 1 }
  const fetching = fetchObjects(WANTED, {
    ...{ store, reporter, timing, backoff, patience, mirrors: { debian: mirrors, 'debian-security': [] } },
  })
  const error = await fetching.then(
    () => undefined,
    (each: Error) => each,
  )
  return { error, reporter, timing, stored: WANTED.filter(({ sha256, size }) => store.has(sha256, size)).length }
}

describe('a mirror that answers with HTTP 503 for a while', () => {
  it('is asked again not before the time of Retry-After, by one request at a time', async () => {
    const timing = fakeTiming()
    const server = await mirror(() => timing.now() < 15_000, busy({ 'retry-after': '5' }))
    const { stored, error, reporter } = await fetchFrom([server.url], timing)
    expect([error, stored]).toEqual([undefined, FILES.length])
    // 16 transfers began before the first answer; then one request for each pause.
    expect(server.counts.refused).toBeLessThanOrEqual(16 + 2)
    expect(server.counts.sent).toBe(FILES.length)
    expect(reporter.notices[0]).toBe(`${new URL(server.url).host}: HTTP 503 Service Unavailable; trying again in 5 s`)
  })

  it('is asked again after growing waits without Retry-After', async () => {
    const timing = fakeTiming()
    const server = await mirror(() => timing.now() < 15_000)
    const { stored } = await fetchFrom([server.url], timing)
    expect(stored).toBe(FILES.length)
    expect(server.counts.refused).toBeLessThanOrEqual(16 + BUSY_TRIES)
  })

  it('is asked again not before the date in Retry-After', async () => {
    const timing = fakeTiming()
    const date = new Date(Date.now() + 40_000).toUTCString()
    const server = await mirror(
      () => timing.now() === 0,
      (response) => void response.writeHead(429, { 'retry-after': date }).end(),
    )
    const { stored } = await fetchFrom([server.url], timing)
    expect(stored).toBe(FILES.length)
    expect(Math.max(...timing.sleeps)).toBeGreaterThan(10_000)
  })

  it('is asked again after a bounded time although it asks for a pause of a day', async () => {
    const timing = fakeTiming()
    const server = await mirror(() => timing.now() === 0, busy({ 'retry-after': '86400' }))
    const { stored } = await fetchFrom([server.url], timing)
    expect(stored).toBe(FILES.length)
    expect(Math.max(...timing.sleeps)).toBe(LONGEST_RETRY_AFTER)
  })

  it('does not delay the files that another mirror has', async () => {
    const [server, other] = [await mirror(() => true, busy({ 'retry-after': '5' })), await mirror(() => false)]
    const { stored, timing } = await fetchFrom([server.url, other.url])
    expect([stored, timing.now()]).toEqual([FILES.length, 0])
    expect(server.counts.refused).toBeLessThanOrEqual(16)
  })

  it('fails the fetch with its answer if it stays busy, after a bounded number of requests', async () => {
    const server = await mirror(() => true, busy({ 'retry-after': '1' }))
    const { error, stored } = await fetchFrom([server.url])
    expect(stored).toBe(0)
    expect(error).not.toBeInstanceOf(GoneError)
    expect(error?.message).toContain('HTTP 503 Service Unavailable')
    expect(server.counts.refused).toBeLessThanOrEqual(16 + BUSY_TRIES)
  })

  it('sends every file although it allows only a few requests before each pause', async () => {
    const timing = fakeTiming()
    let allowed = 10
    let since = 0
    const limits = () => {
      if (timing.now() > since) [allowed, since] = [10, timing.now()]
      allowed -= 1
      return allowed < 0
    }
    const server = await fileServer(
      FILES.map(([path, bytes]) => [
        path,
        (request, response) => {
          if (limits()) response.writeHead(429, { 'retry-after': '2' }).end()
          else sendBytes(bytes, request.headers.range, response)
        },
      ]),
    )
    expect((await fetchFrom([server.url], timing)).stored).toBe(FILES.length)
  })
})

describe('a server whose connections all break at once', () => {
  it('is asked again', async () => {
    const timing = fakeTiming()
    const server = await mirror(
      () => timing.now() < 1000,
      (response) => void response.destroy(),
    )
    const { stored, error } = await fetchFrom([server.url], timing)
    expect([error, stored]).toEqual([undefined, FILES.length])
  })
})
