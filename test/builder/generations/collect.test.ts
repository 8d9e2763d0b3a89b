import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CollectRequest, collect } from '../../../builder/generations/collect.ts'
import { generationNumbered, requireKept } from '../../../builder/generations/find.ts'
import { derivationsIn, parseGraph } from '../../../builder/generations/graph.ts'
import { pin, pinnedOf, unpin } from '../../../builder/generations/pins.ts'
import { generationsOf, isKept } from '../../../builder/generations/record.ts'
import { keepPrograms, usingStore } from '../../../builder/store/leases.ts'
import type { Store } from '../../../builder/store/store.ts'
import { derivationDigest } from '../../../images/derivation.ts'
import { type Digest, digestOf } from '../../../images/digest.ts'
import { debianLocks } from '../../helpers/debian-locks.ts'
import { derivation } from '../../helpers/derivation.ts'
import { filesIn, lostIn } from '../../helpers/missing-objects.ts'
import { smallLab, smallLock } from '../../helpers/small-lab.ts'
import { memory, tempDirectory } from '../../helpers/temp.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** A lab with several generations, each with its own lock. `gc` keeps only the newest generation. */
async function withGenerations(count: number) {
  const lab = await smallLab(await tempDirectory(memory()), PROJECT)
  const { store } = lab
  for (let version = 1; version <= count; version += 1) await lab.make(`${version}`, `line ${version}`)
  const use = { root: store.root, what: 'gc' }
  const gc = (given: Partial<CollectRequest> = {}) =>
    collect({
      ...{ store, use, mode: 'collect', lock: undefined, now: new Date('2027-01-01') },
      ...{ retention: { keep: 1, olderThan: 0 }, ...given },
    })
  const kept = (host = 'tiny') =>
    generationsOf(store.root, host)
      .filter(isKept)
      .map(({ number }) => number)
  const partsOf = (number: number) => requireKept('tiny', generationNumbered(store.root, 'tiny', number)).parts
  return { ...lab, use, gc, kept, partsOf }
}

const hasFetched = (store: Store, version: string) =>
  Object.values(smallLock(version).packages).map(({ sha256 }) => store.has(sha256))

describe('collect', () => {
  it('keeps the record of an old generation, and deletes the objects that only this generation needs', async () => {
    const { store, gc, kept, partsOf } = await withGenerations(2)
    const { layers, boot, texts, origin } = partsOf(1)
    const { go, stay } = await gc()
    expect([go, stay].map((each) => each.map(({ generation }) => generation.number))).toEqual([[1], [2]])
    expect(kept()).toEqual([2])
    expect(generationNumbered(store.root, 'tiny', 1)).not.toHaveProperty('parts')
    for (const { digest } of [...layers, ...boot, ...texts]) expect(store.has(digest)).toBe(false)
    expect(store.has(origin?.graph as Digest)).toBe(false)
    expect(hasFetched(store, '1')).toEqual([false, false, false])
    expect(lostIn(store)).toEqual([])
  })

  it('keeps objects of a deleted generation that a kept generation also uses', async () => {
    const { store, gc, make, partsOf } = await withGenerations(1)
    await make('1', 'another line')
    const base = partsOf(1).layers.find(({ name }) => name === 'base')?.digest as Digest
    await gc()
    expect(partsOf(2).layers.map(({ digest }) => digest)).toContain(base)
    expect([store.has(base), lostIn(store)]).toEqual([true, []])
  })

  it('keeps a pinned generation until it is unpinned', async () => {
    const { store, use, gc, kept } = await withGenerations(3)
    expect(await pin({ store, use, host: 'tiny', number: 1 })).toBe('pinned')
    expect(await pin({ store, use, host: 'tiny', number: 1 })).toBe('already')
    await gc()
    expect([kept(), lostIn(store), hasFetched(store, '1')]).toEqual([[1, 3], [], [true, true, true]])
    expect(await unpin({ store, host: 'tiny', number: 1 })).toBe('unpinned')
    expect(await unpin({ store, host: 'tiny', number: 1 })).toBe('not pinned')
    await gc()
    expect(kept()).toEqual([3])
  })

  it('keeps the newest generations of each host separately', async () => {
    const { make, gc, kept } = await withGenerations(2)
    for (const line of ['a', 'b']) await make('1', line, 'other')
    await gc()
    expect([kept('tiny'), kept('other')]).toEqual([[2], [2]])
  })

  it('keeps intermediate outputs of kept generations, and deletes all other outputs', async () => {
    const { store, gc, context } = await withGenerations(1)
    const { runner, reporter } = context()
    await runner.realise([derivation({ name: 'other' })], reporter)
    const between = parseGraph(readFileSync(store.path(requireOrigin(store)), 'utf8'))
    const digests = derivationsIn(between).map(derivationDigest)
    expect(digests).toHaveLength(5)
    const { garbage } = await gc()
    expect(garbage.records.map((file) => basename(file, '.json'))).toEqual([
      derivationDigest(derivation({ name: 'other' })),
    ])
    for (const digest of digests) expect(store.output(digest)).toBeDefined()
  })

  it('gc deletes nothing when it runs a second time', async () => {
    const { gc, store } = await withGenerations(2)
    await gc()
    const files = filesIn(store)
    const { garbage, go } = await gc()
    expect({ garbage, go }).toEqual({ garbage: { objects: [], records: [], toolchains: [] }, go: [] })
    expect(filesIn(store)).toEqual(files)
  })

  it('a dry run of gc changes nothing, and lists exactly what gc would delete', async () => {
    const { gc, store, unpackToolchain } = await withGenerations(2)
    unpackToolchain('1')
    const files = filesIn(store)
    const asked = await gc({ mode: 'dry-run' })
    expect(filesIn(store)).toEqual(files)
    const done = await gc()
    expect(asked.garbage).toEqual(done.garbage)
    expect(asked.go.map(({ generation }) => generation.number)).toEqual([1])
    expect(filesIn(store).length).toBeLessThan(files.length - asked.garbage.objects.length)
  })
})

function requireOrigin(store: Store): Digest {
  const { origin } = requireKept('tiny', generationNumbered(store.root, 'tiny', 1)).parts
  if (origin === null) throw new Error('generation 1 was built here')
  return origin.graph
}

describe('a package of the current lock', () => {
  it('keeps a package of the current lock, and deletes it when no lock has it', async () => {
    const { store, gc, fetched, context } = await withGenerations(1)
    await context().fetch(Object.values(smallLock('9').packages))
    expect(fetched).toContain('app 9')
    await gc({ lock: debianLocks(smallLock('9')) })
    expect(hasFetched(store, '9')).toEqual([true, true, true])
    await gc()
    expect(hasFetched(store, '9')).toEqual([false, false, false])
  })
})

describe('an unpacked toolchain', () => {
  it('keeps an unpacked toolchain that a generation or the lock needs, and deletes any other with its package list', async () => {
    const { store, gc, unpackToolchain } = await withGenerations(2)
    const [, current, locked] = ['1', '2', '3'].map((version) => unpackToolchain(version)) as [string, string, string]
    const { garbage } = await gc({ lock: debianLocks(smallLock('3')) })
    expect(garbage.toolchains.map(({ size }) => size)).toEqual(['program'.length])
    const left = readdirSync(join(store.root, 'toolchains')).sort()
    expect(left).toEqual([current, locked].flatMap((each) => [each, `${each}.packages`]).sort())
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([])
  })

  it('keeps an unpacked toolchain while a process runs its programs', async () => {
    const { store, gc, unpackToolchain } = await withGenerations(2)
    const old = unpackToolchain('1')
    await keepPrograms(store.root, join(store.root, 'toolchains', old))
    await gc()
    expect(readdirSync(join(store.root, 'toolchains'))).toEqual([old, `${old}.packages`])
  })

  it('deletes the package list of a toolchain whose directory is missing', async () => {
    const { store, gc, unpackToolchain } = await withGenerations(2)
    rmSync(join(store.root, 'toolchains', unpackToolchain('1')), { recursive: true })
    await gc()
    expect(readdirSync(join(store.root, 'toolchains'))).toEqual([])
  })
})

describe('collect with files that it cannot read', () => {
  it.each([
    ['is not JSON', '{"format":2'],
    ['has an unknown format', JSON.stringify({ format: 3, root: digestOf('x') })],
  ])('gc throws before it deletes anything when a record %s', async (_, text) => {
    const { store, gc } = await withGenerations(3)
    const file = join(store.root, 'generations/tiny/2.json')
    writeFileSync(file, text)
    const files = filesIn(store)
    await expect(gc()).rejects.toMatchObject({
      code: 'generation',
      message: expect.stringContaining(`gc deleted nothing: cannot read the record '${file}': `),
      hint: expect.stringContaining(`rm '${file}'`),
    })
    expect(filesIn(store)).toEqual(files)
    expect(readdirSync(join(store.root, 'users'))).toEqual([])
  })

  it('gc throws when a graph has an unknown format', async () => {
    const { store, gc, partsOf } = await withGenerations(1)
    const file = join(store.root, 'generations/tiny/1.json')
    const graph = await store.putBytes(
      readFileSync(store.path(partsOf(1).origin?.graph as Digest), 'utf8').replace('"format":1', '"format":2'),
    )
    const record = JSON.parse(readFileSync(file, 'utf8'))
    record.parts.origin.graph = graph
    writeFileSync(file, JSON.stringify(record))
    const files = filesIn(store)
    await expect(gc()).rejects.toMatchObject({ code: 'format' })
    expect(filesIn(store)).toEqual(files)
  })

  it('keeps the layers of a generation whose graph is missing, and reports that its sources are not known', async () => {
    const { store, gc, partsOf } = await withGenerations(1)
    rmSync(store.path(partsOf(1).origin?.graph as Digest))
    const { unknown } = await gc()
    expect(unknown.map(({ number }) => number)).toEqual([1])
    for (const { digest } of partsOf(1).layers) expect(store.has(digest)).toBe(true)
    expect(hasFetched(store, '1')).toEqual([false, false, false])
  })

  it('deletes unfinished temporary records', async () => {
    const { store, gc } = await withGenerations(1)
    const file = join(store.root, 'generations/tiny/.01234567-89ab-4cde-8f01-23456789abcd.new')
    writeFileSync(file, '{')
    await gc()
    expect(existsSync(file)).toBe(false)
  })
})

describe('pin', () => {
  it('refuses to pin a generation whose parts gc deleted, and one that does not exist', async () => {
    const { store, use, gc } = await withGenerations(2)
    await gc()
    const pinning = (number: number) => pin({ store, use, host: 'tiny', number })
    await expect(pinning(1)).rejects.toThrow('the store has only the record of generation 1 of tiny')
    await expect(pinning(7)).rejects.toThrow('this store has no generation 7 of tiny')
    expect(pinnedOf(store.root, 'tiny')).toEqual(new Set())
  })
})

describe('a build beside gc', () => {
  /** Puts an object into the store and names it in a record later, as a build does. The gc starts between the two steps. */
  async function buildMeanwhile(collectorsPlace: (store: string) => string) {
    const { store, gc, make } = await withGenerations(1)
    const place = collectorsPlace(store.root)
    mkdirSync(place, { recursive: true })
    let collection: Promise<unknown> | undefined
    const found = await usingStore({ root: store.root, what: 'build' }, async () => {
      const object = await store.putBytes('half way')
      collection = gc({ use: { root: place, what: 'gc' } })
      // The negative control uses a gc that does not wait for leases.
      await new Promise((resolve) => setTimeout(resolve, 300))
      return store.has(object)
    })
    await collection
    await make('2', 'afterwards')
    return found
  }

  it('a build keeps its objects, because gc waits for the build', async () => {
    expect(await buildMeanwhile((store) => store)).toBe(true)
  })

  it('a build loses its objects if gc ignores its lease (negative control)', async () => {
    expect(await buildMeanwhile((store) => `${store}/elsewhere`)).toBe(false)
  })
})
