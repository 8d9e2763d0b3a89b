import { chmodSync, linkSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toolchainImage } from '../../../builder/toolchain/image.ts'
import { toolchainDirectory } from '../../../builder/toolchain/toolchain.ts'
import type { Architecture } from '../../../images/architecture.ts'
import { digestOf } from '../../../images/digest.ts'
import { readTar } from '../../helpers/read-tar.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { smallToolchain } from '../../helpers/small-toolchain.ts'

const DEBS = [
  {
    name: 'one',
    files: { 'usr/bin/one': 'one\n', 'etc/one.conf': 'x'.repeat(200_000) },
    directories: { 'var/one': 0o1777 },
  },
  { name: 'two', files: { 'usr/bin/two': 'two\n', [`usr/lib/${'long/'.repeat(40)}name`]: 'deep' } },
]

async function packed(architecture: Architecture = 'amd64') {
  const given = await smallToolchain(DEBS, architecture)
  const reporter = listReporter()
  const pack = () => toolchainImage(given.toolchain, given.store, given.fetch, reporter)
  const path = await pack()
  return { ...given, reporter, pack, path, files: filesOf(await readTar(readFileSync(path))) }
}

function filesOf(entries: Awaited<ReturnType<typeof readTar>>): Map<string, Buffer> {
  return new Map(
    entries.filter(({ header }) => header.type === 'file').map(({ header, bytes }) => [header.name, bytes]),
  )
}

interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** The blob of a descriptor. Fails when size or digest differ. */
function blob(files: Map<string, Buffer>, { digest, size }: Described): Buffer {
  const bytes = files.get(`blobs/${digest.replace(':', '/')}`) ?? Buffer.alloc(0)
  expect({ digest, size }).toEqual({ digest: `sha256:${digestOf(bytes)}`, size: bytes.length })
  return bytes
}

describe('a toolchain as an OCI image', () => {
  it.each(['amd64', 'arm64'] as const)(
    'a toolchain of %s as an OCI image contains the blob of every descriptor',
    async (architecture) => {
      const { files } = await packed(architecture)
      expect(JSON.parse(String(files.get('oci-layout')))).toEqual({ imageLayoutVersion: '1.0.0' })
      const index = JSON.parse(String(files.get('index.json')))
      expect(index.manifests).toHaveLength(1)
      expect(index.manifests[0].platform).toEqual({ architecture, os: 'linux' })
      const manifest = JSON.parse(String(blob(files, index.manifests[0])))
      const config = JSON.parse(String(blob(files, manifest.config)))
      blob(files, manifest.layers[0])
      expect(config).toMatchObject({ architecture, os: 'linux' })
      expect(config.rootfs).toEqual({ type: 'layers', diff_ids: [manifest.layers[0].digest] })
      expect([...files.keys()].filter((name) => name.startsWith('blobs/'))).toHaveLength(3)
    },
  )

  it('a toolchain image has one layer with modes, links and long names, and without times of this machine', async () => {
    const { files } = await packed()
    const index = JSON.parse(String(files.get('index.json')))
    const manifest = JSON.parse(String(blob(files, index.manifests[0])))
    const entries = await readTar(blob(files, manifest.layers[0]))
    const entry = (name: string) => entries.find(({ header }) => header.name === name)
    expect(String(entry('usr/bin/one')?.bytes)).toBe('one\n')
    expect(entry('etc/one.conf')?.bytes.length).toBe(200_000)
    expect(String(entry(`usr/lib/${'long/'.repeat(40)}name`)?.bytes)).toBe('deep')
    expect(entry('bin')?.header).toMatchObject({ type: 'symlink', linkname: 'usr/bin' })
    expect(entry('var/one/')?.header).toMatchObject({ type: 'directory', mode: 0o1777, uid: 0, gid: 0 })
    expect(new Set(entries.map(({ header }) => header.mtime?.getTime()))).toEqual(new Set([0]))
  })

  it('stores a file with two names once, as a hard link', async () => {
    const { toolchain, store, fetch } = await smallToolchain(DEBS)
    const directory = await toolchainDirectory(toolchain, store, fetch, listReporter())
    linkSync(join(directory, 'usr/bin/one'), join(directory, 'usr/bin/uno'))
    const files = filesOf(await readTar(readFileSync(await toolchainImage(toolchain, store, fetch, listReporter()))))
    const manifest = JSON.parse(String(blob(files, JSON.parse(String(files.get('index.json'))).manifests[0])))
    const link = (await readTar(blob(files, manifest.layers[0]))).find(({ header }) => header.name === 'usr/bin/uno')
    expect(link?.header).toMatchObject({ type: 'link', linkname: 'usr/bin/one' })
  })

  it('a toolchain image has the same bytes in another store', async () => {
    const [one, other] = [await packed(), await packed()]
    expect(one.path).not.toBe(other.path)
    expect(digestOf(readFileSync(one.path))).toBe(digestOf(readFileSync(other.path)))
  })

  it('packs a toolchain image once, and again when the store lost it', async () => {
    const { pack, path, reporter } = await packed()
    const before = digestOf(readFileSync(path))
    expect(await pack()).toBe(path)
    expect(reporter.ended.filter((each) => each.startsWith('pack'))).toHaveLength(1)
    chmodSync(path, 0o644)
    truncateSync(path, 100)
    expect(digestOf(readFileSync(await pack()))).toBe(before)
  })
})
