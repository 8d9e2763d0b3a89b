import { chmod, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { decompress } from '../../../../../builder/sources/debian/archive/decompress.ts'
import { fetchIndices } from '../../../../../builder/sources/debian/archive/packages.ts'
import { fetchRelease } from '../../../../../builder/sources/debian/archive/release.ts'
import { Servers } from '../../../../../builder/sources/debian/archive/servers.ts'
import { SUITES } from '../../../../../builder/sources/debian/archive/suites.ts'
import { OBJECT_TIME, openStore } from '../../../../../builder/store/directory.ts'
import { fileServer } from '../../../../helpers/file-server.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import { NOW, signer, smallArchive } from '../../../../helpers/small-archive.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const PACKAGES = [
  { name: 'zstd', version: '1.5.7-1' },
  { name: 'openssl', version: '3.5.7-1', suite: 'trixie-security' },
  { name: 'bash', architecture: 'amd64' },
] as const

async function served() {
  const key = await signer()
  const server = await fileServer(await smallArchive(PACKAGES, { signer: key }))
  const mirrors = { debian: [`${server.url}/debian`], 'debian-security': [`${server.url}/debian-security`] }
  const servers = new Servers({ reporter: listReporter(), backoff: 5 })
  const trust = { mirrors, keyring: key.publicKey, now: NOW, known: {} }
  const releases = await Promise.all(SUITES.map((suite) => fetchRelease(suite, servers, trust)))
  const store = await openStore(await tempDirectory())
  const options = { store, mirrors, reporter: listReporter(), backoff: 5 }
  server.requests.length = 0
  return { server, store, indices: () => fetchIndices(releases, 'arm64', options) }
}

describe('fetchIndices', () => {
  it('fetches the indexes by digest, with the packages of each suite', async () => {
    const { server, indices } = await served()
    const held = (await indices()).map(({ suite, packages }) => [
      suite.name,
      packages.named('zstd').length,
      packages.named('openssl').length,
    ])
    expect(held).toEqual([
      ['trixie', 1, 0],
      ['trixie-updates', 0, 0],
      ['trixie-security', 0, 1],
      ['trixie-backports', 0, 0],
    ])
    expect(server.requests.every((path) => /\/binary-arm64\/by-hash\/SHA256\/[0-9a-f]{64}$/.test(path))).toBe(true)
  })

  it('does not fetch an unchanged index again', async () => {
    const { server, indices } = await served()
    await indices()
    const before = server.requests.length
    await indices()
    expect(server.requests.length).toBe(before)
  })

  it('fetches the indexes by name from a mirror without by-hash paths', async () => {
    const { server, indices } = await served()
    for (const path of server.files.keys()) if (path.includes('by-hash')) server.files.delete(path)
    expect((await indices())[0]?.packages.named('zstd')[0]?.get('version')).toBe('1.5.7-1')
  })

  it('refuses an index whose digest is not in the signed release', async () => {
    const { server, indices } = await served()
    for (const path of server.files.keys())
      if (path.includes('Packages') || path.includes('by-hash')) server.files.set(path, Buffer.from('x'))
    await expect(indices()).rejects.toMatchObject({ code: 'digest' })
  })

  it('refuses an index in the store with other bytes of the same size and time', async () => {
    const { store, indices } = await served()
    const [first] = await indices()
    const { sha256, size } = first?.release.files.get('main/binary-arm64/Packages.gz') ?? expect.fail('no index')
    await chmod(store.path(sha256), 0o644)
    await writeFile(store.path(sha256), Buffer.alloc(size))
    await utimes(store.path(sha256), OBJECT_TIME, OBJECT_TIME)
    await expect(indices()).rejects.toMatchObject({
      code: 'store',
      message: expect.stringContaining(store.path(sha256)),
      hint: expect.stringContaining('npm run store:verify'),
    })
  })

  it('names a suite without an index for the architecture', async () => {
    const { indices } = await served()
    const [first] = await indices()
    const release = { ...(first?.release ?? expect.fail('no index')), files: new Map() }
    const store = await openStore(await tempDirectory())
    const none = fetchIndices([release], 'arm64', {
      store,
      mirrors: { debian: [], 'debian-security': [] },
      reporter: listReporter(),
    })
    await expect(none).rejects.toThrow("suite 'debian/trixie' has no packages for architecture 'arm64'")
  })
})

describe('an index compressed with xz', () => {
  const PACKED =
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAcUGFja2FnZTogenN0ZApWZXJzaW9uOiAxLjUuNwoAAAAA+rs5S5ZydYcAATUdRBux4R+2830BAAAAAARZWg=='

  it('unpacks an xz-compressed index with dpkg-deb', async () => {
    const store = await openStore(await tempDirectory())
    const text = await decompress(Buffer.from(PACKED, 'base64'), '.xz', store)
    expect(Buffer.from(text).toString()).toBe('Package: zstd\nVersion: 1.5.7\n')
  })

  it('refuses an index that is not xz, with a hint', async () => {
    const store = await openStore(await tempDirectory())
    await expect(decompress(Buffer.from('no xz'), '.xz', store)).rejects.toMatchObject({
      message: expect.stringContaining('cannot unpack an index with dpkg-deb'),
      hint: expect.stringContaining('dpkg'),
    })
  })
})
