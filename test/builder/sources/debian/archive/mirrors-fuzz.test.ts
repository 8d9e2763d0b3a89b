import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fetchObjects } from '../../../../../builder/sources/debian/archive/fetch.ts'
import { BUSY_TRIES } from '../../../../../builder/sources/debian/archive/health.ts'
import type { Wanted } from '../../../../../builder/sources/debian/archive/suites.ts'
import { GoneError } from '../../../../../builder/sources/source.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import { digestOf } from '../../../../../images/digest.ts'
import { fakeTiming } from '../../../../helpers/fake-timing.ts'
import { fileServer, type Handler, sendBytes } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'
import { type Random, randomFrom } from '../../../../power-cut/random.ts'

const FILES = Array.from({ length: 6 }, (_, index) => [`pool/${index}`, Buffer.alloc(40_000 + index, index)] as const)
const WANTED = FILES.map(([path, bytes]): Wanted => {
  return { archive: 'debian', path, size: bytes.length, sha256: digestOf(bytes) }
})

/** How a mirror answers one request for a file. */
type Fault = (bytes: Buffer, random: Random) => Handler
const cut = (bytes: Buffer, random: Random) => bytes.subarray(0, Math.floor(random() * bytes.length))
const status =
  (code: number, headers = {}): Fault =>
  () =>
  (_, response) =>
    void response.writeHead(code, headers).end('sorry')

/** Answers after which the same mirror may send the file. */
const PASSING: Readonly<Record<string, Fault>> = {
  'HTTP 503': status(503),
  'HTTP 503 with Retry-After': status(503, { 'retry-after': '3' }),
  'HTTP 429': status(429, { 'retry-after': 'soon' }),
  'a reset before the answer': () => (_, response) => void response.destroy(),
  'a reset in the body': (bytes, random) => (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(cut(bytes, random), () => response.destroy())
  },
  'a short body of unknown length': (bytes, random) => (_, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(cut(bytes, random))
  },
}

/** Answers after which this mirror is not asked for the file again. */
const FINAL: Readonly<Record<string, Fault>> = {
  'HTTP 404': status(404),
  'HTTP 403': status(403),
  'other bytes': (bytes) => (_, response) => void response.end(Buffer.alloc(bytes.length, 'x')),
  'a short file': (bytes, random) => (_, response) => {
    const short = cut(bytes, random)
    response.writeHead(200, { 'content-length': short.length }).end(short)
  },
  'a long file': (bytes) => (_, response) => void response.end(Buffer.concat([bytes, bytes])),
  'a web page': () => (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  'an endless redirect': () => (request, response) => void response.writeHead(302, { location: request.url }).end(),
  'another range': (bytes, random) => (request, response) => {
    const headers = { 'content-range': `bytes 7-${bytes.length - 1}/${bytes.length}` }
    if (request.headers.range === undefined) response.destroy()
    else response.writeHead(206, headers).end(cut(bytes, random))
  },
}

interface Behaviour {
  readonly kind: 'good' | 'bad'
  readonly name: string
  handler(bytes: Buffer): Handler
}

/** A good mirror answers wrongly a few times and then sends each file; a bad mirror never does. */
function behaviour(random: Random): Behaviour {
  const pick = (faults: Readonly<Record<string, Fault>>) =>
    Object.entries(faults)[Math.floor(random() * Object.keys(faults).length)] as [string, Fault]
  if (random() < 0.5) {
    const [name, fault] = pick({ ...FINAL, ...PASSING })
    return { kind: 'bad', name, handler: (bytes) => fault(bytes, random) }
  }
  const [name, fault] = pick(PASSING)
  let left = Math.floor(random() * 3)
  const handler = (bytes: Buffer): Handler => {
    return (request, response) => {
      left -= 1
      if (left >= 0) fault(bytes, random)(request, response)
      else sendBytes(bytes, random() < 0.8 ? request.headers.range : undefined, response)
    }
  }
  return { kind: 'good', name: `${name} ${left} times`, handler }
}

async function trial(seed: number) {
  const random = randomFrom(seed, 0)
  const behaviours = Array.from({ length: 1 + Math.floor(random() * 3) }, () => behaviour(random))
  const servers = await Promise.all(
    behaviours.map(({ handler }) => fileServer(FILES.map(([path, bytes]) => [path, handler(bytes)]))),
  )
  const store = await openStore(await tempDirectory())
  const error: unknown = await fetchObjects(WANTED, {
    ...{ store, reporter: listReporter(), timing: fakeTiming(), backoff: 5 },
    mirrors: { debian: servers.map(({ url }) => url), 'debian-security': [] },
  }).catch((each: unknown) => each)
  const requests = servers.flatMap((server) => server.requests)
  return { behaviours, store, error, requests: requests.length }
}

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed)

describe('any mix of mirrors', () => {
  it.each(SEEDS)('gives the right bytes if one mirror can, and no other bytes (seed %i)', async (seed) => {
    const { behaviours, store, error, requests } = await trial(seed)
    const names = behaviours.map(({ kind, name }) => `${kind}: ${name}`).join('; ')
    const isPossible = behaviours.some(({ kind }) => kind === 'good')
    expect([names, error === undefined]).toEqual([names, isPossible])
    for (const { sha256 } of WANTED) {
      if (isPossible) expect(digestOf(readFileSync(store.path(sha256)))).toBe(sha256)
      else expect(store.has(sha256)).toBe(false)
    }
    // Each redirect counts as a request.
    expect(requests).toBeLessThanOrEqual(behaviours.length * FILES.length * (BUSY_TRIES + 6))
    const isAbsent = behaviours.some(({ name }) => name === 'HTTP 404')
    const isWrong = behaviours.some(({ name }) => /other bytes|short file|long file/.test(name))
    if (!isPossible) expect([names, error instanceof GoneError]).toEqual([names, isAbsent && !isWrong])
  })
})
