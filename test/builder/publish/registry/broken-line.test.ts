import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LocalBlob, Repository } from '../../../../builder/publish/repository.ts'
import { digestOf } from '../../../../images/digest.ts'
import { cuttingProxy } from '../../../helpers/cutting-proxy.ts'
import { startDebianRegistry } from '../../../helpers/debian-registry.ts'
import { repositoryAt } from '../../../helpers/registry-client.ts'
import { smallRegistry } from '../../../helpers/small-registry.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const SIZE = 4 << 20
const BYTES = randomBytes(SIZE)
const BLOB: LocalBlob = {
  ...{ name: 'layer', digest: digestOf(BYTES), size: SIZE },
  async *read(from) {
    for (let at = from; at < SIZE; at += 1 << 16) yield BYTES.subarray(at, at + (1 << 16))
  },
}
/** Limit for the bytes of requests and answers, in addition to the blob. */
const TALK = 16 * 1024

async function put(repository: Repository) {
  let counted = 0
  await repository.put(BLOB, (more) => {
    counted += more
  })
  return counted
}

async function fetch(repository: Repository) {
  const file = join(await tempDirectory(), 'blob')
  let counted = 0
  await repository.fetch(BLOB, file, (more) => {
    counted += more
  })
  expect(digestOf(readFileSync(file))).toBe(BLOB.digest)
  return counted
}

describe('a connection that breaks', () => {
  it('hangar resumes a broken upload if the registry reports how much arrived', async () => {
    const registry = await smallRegistry()
    const proxy = await cuttingProxy(registry.port)
    const { repository, retries } = repositoryAt(proxy.port)
    proxy.cutAfter('up', 3 << 20)
    expect(await put(repository)).toBe(SIZE)
    expect(registry.requests).toEqual([
      ...['POST blobs/uploads/', 'PATCH blobs/uploads/ID', `HEAD blobs/sha256:${BLOB.digest}`],
      ...['GET blobs/uploads/ID', 'PATCH blobs/uploads/ID', 'PUT blobs/uploads/ID'],
    ])
    expect(registry.blobs.get(`sha256:${BLOB.digest}`)?.equals(BYTES)).toBe(true)
    expect(proxy.bytes.up).toBeLessThan(SIZE + TALK)
    expect([proxy.cuts, retries.length]).toEqual([1, 1])
  })

  it('hangar sends each byte once although the connection breaks repeatedly', async () => {
    const registry = await smallRegistry()
    const proxy = await cuttingProxy(registry.port)
    proxy.cutAfter('up', 500_000, 8)
    expect(await put(repositoryAt(proxy.port).repository)).toBe(SIZE)
    expect(proxy.cuts).toBe(8)
    expect(proxy.bytes.up).toBeLessThan(SIZE + 8 * TALK)
  })

  it("hangar sends the whole blob again after a broken upload to Debian's registry, which keeps no partial upload", async () => {
    const registry = await startDebianRegistry()
    const proxy = await cuttingProxy(registry.port)
    const { repository, retries } = repositoryAt(proxy.port)
    proxy.cutAfter('up', 3 << 20)
    expect(await put(repository)).toBe(SIZE)
    expect(await fetch(repository)).toBe(SIZE)
    expect([proxy.cuts, retries.length]).toEqual([1, 1])
    expect(proxy.bytes.up).toBeGreaterThan((3 << 20) + SIZE)
    expect(registry.log()).toContain('client disconnected')
  })

  it("hangar resumes a broken download from Debian's registry", async () => {
    const registry = await startDebianRegistry()
    const proxy = await cuttingProxy(registry.port)
    const { repository, retries } = repositoryAt(proxy.port)
    await put(repository)
    proxy.bytes.down = 0
    proxy.cutAfter('down', 1 << 20, 3)
    expect(await fetch(repository)).toBe(SIZE)
    expect([proxy.cuts, retries.length]).toEqual([3, 3])
    // Bytes that were in flight when the connection broke are sent again.
    expect(proxy.bytes.down).toBeLessThan(SIZE + 3 * 8 * TALK)
  })

  it('hangar sends nothing again if the connection breaks before the last answer', async () => {
    const registry = await smallRegistry()
    const proxy = await cuttingProxy(registry.port)
    registry.intercept = ({ method }) => {
      if (method === 'PUT') proxy.cutAfter('down', 1)
      return false
    }
    expect(await put(repositoryAt(proxy.port).repository)).toBe(SIZE)
    expect(proxy.cuts).toBe(1)
    expect(registry.requests.filter((each) => each.startsWith('PATCH'))).toHaveLength(1)
  })
})

describe('a registry that fails', () => {
  it('repeated failures of a registry end the command with the last error and a hint', async () => {
    const registry = await smallRegistry()
    const proxy = await cuttingProxy(registry.port)
    proxy.cutAfter('up', 100, 1000)
    const { repository, retries } = repositoryAt(proxy.port)
    await expect(put(repository)).rejects.toMatchObject({
      code: 'registry',
      message: expect.stringMatching(/^'oci:\/\/127\.0\.0\.1:\d+\/hangar' broke the connection: /),
      hint: expect.stringContaining('the same command again'),
    })
    expect(retries).toHaveLength(4)
  })

  it('hangar retries when a registry answers 5xx or 429', async () => {
    const registry = await smallRegistry()
    let trouble = 3
    registry.intercept = (_, response) => {
      trouble -= 1
      if (trouble < 0) return false
      response.writeHead(trouble === 1 ? 429 : 503).end()
      return true
    }
    const { repository, retries } = repositoryAt(registry.port)
    expect(await put(repository)).toBe(SIZE)
    expect(retries).toEqual([
      'HTTP 503 Service Unavailable',
      'HTTP 429 Too Many Requests',
      'HTTP 503 Service Unavailable',
    ])
  })

  it('the error names a registry that accepts no connection', async () => {
    await expect(repositoryAt(9).repository.has(BLOB)).rejects.toMatchObject({
      code: 'registry',
      message: expect.stringContaining("'oci://127.0.0.1:9/hangar' cannot be reached: "),
    })
  })

  it('a registry that does not answer in time ends the command', async () => {
    const registry = await smallRegistry()
    registry.intercept = ({ method }) => method === 'PATCH'
    const patience = { answer: 300, window: 300, bytes: 1000 }
    const { repository } = repositoryAt(registry.port, { patience, backoff: 1 })
    await expect(put(repository)).rejects.toMatchObject({ code: 'registry' })
  })
})

describe('a request that a registry refuses', () => {
  it.each([
    [403, 'DENIED', 'not yours', 'HTTP 403, DENIED, not yours', 'podman login'],
    [413, 'SIZE_INVALID', 'too large\u001b[31m', 'HTTP 413, SIZE_INVALID, too large[31m', 'limits of'],
  ])(
    "a request that the registry refuses ends with the registry's message: %i",
    async (status, code, message, said, hint) => {
      const registry = await smallRegistry()
      registry.intercept = ({ method }, response) => {
        if (method !== 'POST') return false
        response.writeHead(status).end(JSON.stringify({ errors: [{ code, message }] }))
        return true
      }
      const { repository, retries } = repositoryAt(registry.port)
      await expect(put(repository)).rejects.toMatchObject({
        message: `'127.0.0.1:${registry.port}' refused an upload: ${said}`,
        hint: expect.stringContaining(hint),
      })
      expect(retries).toEqual([])
    },
  )
})
