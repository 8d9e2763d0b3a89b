import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fetchFrom, openSources, SOURCES, sourceOf } from '../../../builder/sources/registry.ts'
import { openStore } from '../../../builder/store/directory.ts'
import type { NpmRequest } from '../../../images/npm/npm-package.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
import { describeSource } from '../../contracts/source.ts'
import { debianAt } from '../../helpers/debian-at.ts'
import { fakeApt } from '../../helpers/fake-apt.ts'
import { fakeSource, type WordRequest } from '../../helpers/fake-source.ts'
import { fileServer } from '../../helpers/file-server.ts'
import { npmAt, npmRegistry } from '../../helpers/npm-registry.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { NOW, signer, smallArchive, type TestPackage } from '../../helpers/small-archive.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const TOOLCHAIN: ArchitectureSet = {
  set: { name: 'toolchain', request: ['apt'], essential: 'left-out', assumed: [] },
  architecture: 'amd64',
}

function set(name: string, ...request: string[]): ArchitectureSet {
  return { set: { name, request, essential: 'left-out', assumed: [] }, architecture: 'arm64' }
}

describeSource('debian', async () => {
  const key = await signer()
  const packages = (openssl: string): TestPackage[] => [
    { name: 'apt', architecture: 'amd64' },
    { name: 'openssl', version: openssl, fields: { Depends: 'libssl3' } },
    { name: 'libssl3', version: openssl },
    { name: 'jq' },
  ]
  const server = await fileServer(await smallArchive(packages('3.5-1'), { signer: key }))
  return {
    source: debianAt(server.url, key.publicKey),
    requests: [set('base', 'openssl'), set('tools', 'jq')],
    changed: set('base', 'openssl', 'jq'),
    async move() {
      server.files.clear()
      const now = await smallArchive(packages('3.5-2'), { signer: key, date: 'Mon, 01 Jun 2026 10:00:00 UTC' })
      for (const [path, content] of now) server.files.set(path, content)
    },
    sent: () => server.requests.length,
    runner: fakeApt,
    toolchain: TOOLCHAIN,
    now: NOW,
  }
})

describeSource('words, which only this test knows', async () => {
  const dictionary = new Map([
    ['tree', 'a plant'],
    ['ship', 'a vessel'],
  ])
  const requests: [WordRequest, WordRequest] = [
    { source: 'words', word: 'tree' },
    { source: 'words', word: 'ship' },
  ]
  return {
    source: fakeSource(dictionary),
    requests,
    async move() {
      dictionary.set('tree', 'a tall plant')
    },
    sent: () => 0,
    runner: fakeApt,
    toolchain: TOOLCHAIN,
    now: NOW,
  }
})

describeSource('npm', async (project) => {
  const registry = await npmRegistry([
    { name: '@lab/app', fields: { dependencies: { shared: '^1.0.0' } } },
    { name: 'shared' },
    { name: 'tool' },
  ])
  const request = async (name: string, dependencies: Readonly<Record<string, string>>): Promise<NpmRequest> => {
    const folder = `overlays/services/${name}`
    await mkdir(join(project, folder), { recursive: true })
    await writeFile(join(project, folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
    return { source: 'npm', folder, beside: set(`container/${name}`, 'nodejs') }
  }
  return {
    source: await npmAt(registry.url, project),
    requests: [await request('one', { '@lab/app': '^1.0.0' }), await request('other', { tool: '1' })],
    lockFile: 'overlays/services/one/package-lock.json',
    time: 'none',
    unused: 'kept',
    async move() {
      registry.unpublish('@lab/app')
      await registry.publish({ name: '@lab/app', version: '1.2.0', fields: { dependencies: { shared: '^1.0.0' } } })
    },
    sent: () => registry.requests.length,
    runner: fakeApt,
    toolchain: TOOLCHAIN,
    now: NOW,
  }
})

describe('the registry of sources', () => {
  it('each source has a unique name and a unique lock file', () => {
    for (const values of [SOURCES.map(({ name }) => name), SOURCES.map(({ lockFile }) => lockFile)])
      expect(values).toEqual([...new Set(values)])
  })

  it('requests and files without a source mean Debian packages', () => {
    expect(sourceOf(SOURCES, {}).name).toBe('debian')
    expect(() => sourceOf(SOURCES, { source: 'gems' })).toThrow("no source 'gems', there are: debian, npm")
  })

  it('opening the sources refuses an invalid setting', async () => {
    const opening = openSources({ env: { HANGAR_DEBIAN_MIRROR: 'nonsense' }, project: PROJECT })
    await expect(opening).rejects.toMatchObject({ code: 'usage' })
  })

  it('fetches each file from the source that locked it', async () => {
    const store = await openStore(await tempDirectory())
    const [words, other] = [fakeSource(new Map([['tree', 'a plant']])), fakeSource(new Map([['tree', 'a graph']]))]
    const graphs = { ...other, name: 'graphs' }
    const [tree] = words.files(words.lockOf({ tree: 'a plant' }))
    const [graph] = other.files(other.lockOf({ tree: 'a graph' }))
    if (tree === undefined || graph === undefined) throw new Error('no file')
    await fetchFrom([words, graphs], { store, reporter: listReporter() })([tree, { ...graph, source: 'graphs' }])
    expect([store.has(tree.sha256), store.has(graph.sha256)]).toEqual([true, true])
  })
})
