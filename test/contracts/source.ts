import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type BuildContext, lockedIn } from '../../builder/context.ts'
import { type Graph, graphText, packagesIn, parseGraph } from '../../builder/generations/graph.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { readLocks } from '../../builder/lock/locks.ts'
import { missingPackages } from '../../builder/runners/missing.ts'
import type { Runner } from '../../builder/runners/runner.ts'
import { fetchFrom } from '../../builder/sources/registry.ts'
import { GoneError, type ResolveContext, type Source } from '../../builder/sources/source.ts'
import { openStore } from '../../builder/store/directory.ts'
import type { Store } from '../../builder/store/store.ts'
import { derivationDigest } from '../../images/derivation.ts'
import { isDigest } from '../../images/digest.ts'
import type { LockedFile, SourceRequest } from '../../images/locked-file.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import { derivation } from '../helpers/derivation.ts'
import { listReporter } from '../helpers/reporter.ts'
import { tempDirectory } from '../helpers/temp.ts'

export interface SourceUnderTest {
  readonly source: Source
  /** Two requests with different files. */
  readonly requests: readonly [SourceRequest, SourceRequest]
  /** A request with the name of the first one but another content; absent if the name is the whole request. */
  readonly changed?: SourceRequest
  /** Deletes the files of the first request from the server, and adds newer ones. */
  move(): Promise<void>
  /** Number of files that the server has sent. */
  sent(): number
  /** Runs the derivations that the source itself needs to resolve. */
  runner(store: Store): Runner
  readonly toolchain: ArchitectureSet
  readonly now: Date
  /** The lock file of the first request, below the project. Default: one file for the whole lock. */
  readonly lockFile?: string
  /** Whether a lock has a time. Default: each update moves it. */
  readonly time?: 'none'
  /** What an update does with entries that no host needs. Default: it drops them. */
  readonly unused?: 'kept'
}

/** The behaviour of every source. `lock`, `runners` and `generations` use a source only through these functions. */
export function describeSource(name: string, make: (project: string) => Promise<SourceUnderTest>): void {
  /** A machine with an empty store and an empty project. */
  const machine = async () => {
    const [store, project, reporter] = [await openStore(await tempDirectory()), await tempDirectory(), listReporter()]
    const under = await make(project)
    const { source } = under
    const fetch = fetchFrom([source], { store, reporter })
    const { now, toolchain } = under
    const context: ResolveContext = {
      store,
      reporter,
      now,
      fetch,
      runner: under.runner(store),
      toolchain,
      locked: () => undefined,
    }
    const lockFile = under.lockFile ?? `${source.name}.lock.json`
    const build: BuildContext = {
      ...{ ...context, runner: context.runner, project, builder: 'amd64', toolchain },
      ...{ env: {}, signal: new AbortController().signal, sources: [{ ...source, lockFile }] },
    }
    const unlocked = (await source.storage?.read(project)) ?? source.empty
    const resolve = (wanted: readonly SourceRequest[], current: unknown = unlocked) =>
      source.resolve(wanted, current, { kind: 'missing' }, context)
    const files = (lock: unknown, request: SourceRequest) => source.locked(lock, request) ?? expect.fail('not locked')
    /** Another machine with the same project and an empty store. */
    const elsewhere = async () => {
      const other = await openStore(await tempDirectory())
      const fetchThere = fetchFrom([source], { store: other, reporter })
      return { ...build, store: other, fetch: fetchThere, runner: under.runner(other) }
    }
    return {
      ...under,
      elsewhere,
      store,
      project,
      reporter,
      fetch,
      context,
      build,
      lockFile: join(project, lockFile),
      resolve,
      files,
    }
  }
  const digests = (files: readonly LockedFile[]) => files.map(({ sha256 }) => sha256)

  describe(`the source ${name}`, () => {
    it('resolves requests to files with name, version, size and digest', async () => {
      const { source, requests, resolve, files } = await machine()
      const lock = await resolve(requests)
      for (const request of requests) {
        expect(files(lock, request).length).toBeGreaterThan(0)
        for (const file of files(lock, request)) {
          expect([file.source ?? 'debian', isDigest(file.sha256), file.size > 0]).toEqual([source.name, true, true])
          expect([file.package, file.version, file.path]).not.toContain('')
        }
        expect(source.names(lock)).toContain(source.nameOf(request))
      }
      const all = digests(source.files(lock))
      expect(all).toEqual([...new Set(all)])
      expect(all).toEqual(expect.arrayContaining(requests.flatMap((each) => digests(files(lock, each)))))
    })

    it('returns the same lock when it contains every request', async () => {
      const { requests, resolve, sent } = await machine()
      const lock = await resolve(requests)
      const before = sent()
      expect(await resolve([...requests].reverse(), lock)).toBe(lock)
      expect(sent()).toBe(before)
    })

    it('adds a request, and keeps the entries of the lock', async () => {
      const { requests, resolve, files } = await machine()
      const [one, other] = requests
      const first = await resolve([one])
      const second = await resolve([other], first)
      expect(files(second, one)).toEqual(files(first, one))
      expect(files(second, other).length).toBeGreaterThan(0)
    })

    it('returns no entry for a request that it never resolved, or that has changed', async () => {
      const { source, requests, changed, resolve } = await machine()
      const [one, other] = requests
      expect(source.locked(source.empty, one)).toBeUndefined()
      const lock = await resolve([one])
      expect(source.locked(lock, other)).toBeUndefined()
      if (changed === undefined) return
      expect(source.nameOf(changed)).toBe(source.nameOf(one))
      expect(source.locked(lock, changed)).toBeUndefined()
    })

    it('writes a canonical text of a lock, without any server, and reads it back', async () => {
      const { source, requests, resolve, store } = await machine()
      const lock = await resolve(requests)
      const text = source.text(lock)
      const read = source.parse(text, 'lock')
      expect(source.recall?.(read, store) ?? read).toEqual(lock)
      expect(source.text(source.parse(text, 'lock'))).toBe(text)
      expect(text).toMatch(/[^\n]\n$/)
      expect(text).not.toMatch(/:\/\/|127\.0\.0\.1/)
    })

    it('fetches files into the store by their digests, and no file twice', async () => {
      const { source, requests, resolve, context, store, sent } = await machine()
      const locked = source.files(await resolve(requests))
      await source.fetch(locked, context)
      expect(locked.filter(({ sha256, size }) => !store.has(sha256, size))).toEqual([])
      const before = sent()
      await source.fetch(locked, context)
      expect(sent()).toBe(before)
    })

    it('throws GoneError with the files that no server has any more, and keeps the other files', async () => {
      const { source, requests, resolve, files, move, elsewhere } = await machine()
      const lock = await resolve(requests)
      await move()
      const [one, other] = requests
      const { store, ...context } = await elsewhere()
      const fetching = source.fetch(source.files(lock), { ...context, store })
      const error: unknown = await fetching.catch((each: unknown) => each)
      if (!(error instanceof GoneError)) throw error
      const gone = error.gone.map(({ sha256 }) => sha256)
      expect(digests(files(lock, one)).some((each) => gone.includes(each))).toBe(true)
      const left = files(lock, other).filter(({ sha256 }) => !gone.includes(sha256))
      expect(left.filter(({ sha256 }) => !store.has(sha256))).toEqual([])
    })

    it('resolves only the requests again whose files are gone', async () => {
      const { source, requests, resolve, files, move, context, time } = await machine()
      const lock = await resolve(requests)
      await move()
      const [one, other] = requests
      const gone = files(lock, one)
      const newer = await source.resolve(requests, lock, { kind: 'gone', gone }, context)
      expect(digests(files(newer, one))).not.toEqual(digests(gone))
      expect(files(newer, other)).toEqual(files(lock, other))
      if (time !== 'none') expect(source.time(newer)).toBeGreaterThan(source.time(lock))
      await source.fetch(files(newer, one), context)
    })

    it('an update moves every request, and drops requests that no host makes, unless the source keeps them', async () => {
      const { source, requests, resolve, files, move, context, unused } = await machine()
      const lock = await resolve(requests)
      await move()
      const [one, other] = requests
      const newer = await source.resolve([one], lock, { kind: 'update' }, context)
      expect(digests(files(newer, one))).not.toEqual(digests(files(lock, one)))
      expect(source.locked(newer, other)).toEqual(unused === 'kept' ? files(lock, other) : undefined)
    })

    it('gives each file a fixed path below /in of a derivation', async () => {
      const { source, requests, resolve, files } = await machine()
      const lock = await resolve(requests)
      for (const request of requests) {
        const inputs = Object.entries(source.inputs(files(lock, request)))
        const locked = inputs.map(([, input]) => ('locked' in input ? input.locked.sha256 : undefined))
        expect(locked.sort()).toEqual(digests(files(lock, request)).sort())
        for (const [path] of inputs) expect(path).toMatch(/^[^/].*[^/]$/)
      }
    })

    it('describes a file by name, version and package URL', async () => {
      const { source, requests, resolve } = await machine()
      for (const file of source.files(await resolve(requests))) {
        const { name: packageName, version, purl } = source.describe(file)
        expect([packageName, version]).toEqual([file.package, file.version])
        expect(purl).toMatch(/^pkg:[a-z]+\/.+@.+/)
      }
    })

    it('recognises that the files after an update are newer', async () => {
      const { source, requests, resolve, files, move, context } = await machine()
      const lock = await resolve(requests)
      await move()
      const newer = await source.resolve(requests, lock, { kind: 'update' }, context)
      const [before, after] = [files(lock, requests[0])[0], files(newer, requests[0])[0]]
      expect(source.compareVersions(before?.version ?? '', after?.version ?? '')).toBeLessThan(0)
      expect(source.compareVersions(after?.version ?? '', after?.version ?? '')).toBe(0)
    })
  })

  describe(`the builder with the source ${name}`, () => {
    it('locks the new requests of a host, and writes the lock file', async () => {
      const { build, requests, lockFile, reporter, store } = await machine()
      const [one] = requests
      const locked = await withLock(build, [one], 'no-frozen', async (locks) => lockedIn(locks, one))
      expect((await readLocks(build.project, build.sources, store)).locked(one)).toEqual(locked)
      expect(reporter.notices.join('\n')).toContain(`commit ${lockFile}`)
      expect(reporter.notices.join('\n')).toContain(`new ${locked[0]?.version}`)
    })

    it('refuses requests that a frozen lock does not contain, and writes nothing', async () => {
      const { build, source, requests, lockFile } = await machine()
      const refused = withLock(build, requests, 'frozen', async () => undefined)
      await expect(refused).rejects.toMatchObject({
        code: 'frozen',
        message: expect.stringContaining(source.nameOf(requests[0])),
      })
      expect(existsSync(lockFile)).toBe(false)
    })

    it('locks newer files when the locked files are gone, and repeats the build', async () => {
      const { build, requests, move, lockFile, elsewhere } = await machine()
      const [one] = requests
      const other = await elsewhere()
      const use = () =>
        withLock(other, [one], 'no-frozen', async (locks) => {
          await other.fetch(lockedIn(locks, one))
          return lockedIn(locks, one)
        })
      const relocking = withLock(build, [one], 'no-frozen', async () => undefined)
      await relocking
      const before = readFileSync(lockFile, 'utf8')
      await move()
      const files = await use()
      expect(files.filter(({ sha256 }) => !other.store.has(sha256))).toEqual([])
      expect(readFileSync(lockFile, 'utf8')).not.toBe(before)
      expect((await readLocks(other.project, other.sources, other.store)).locked(one)).toEqual(files)
    })

    it('fails when the files of a frozen lock are gone', async () => {
      const { build, requests, move, elsewhere } = await machine()
      const [one] = requests
      await withLock(build, [one], 'no-frozen', async () => undefined)
      await move()
      const other = await elsewhere()
      const building = withLock(other, [one], 'frozen', async (locks) => other.fetch(lockedIn(locks, one)))
      await expect(building).rejects.toMatchObject({
        code: 'frozen',
        message: expect.stringContaining('no mirror'),
      })
    })

    it('fetches the inputs of a derivation, and keeps their source in the graph of a generation', async () => {
      const { source, requests, resolve, files, elsewhere } = await machine()
      const lock = await resolve(requests)
      const { fetch, store } = await elsewhere()
      const unpacking = derivation({ inputs: source.inputs(files(lock, requests[0])) })
      const missing = missingPackages([unpacking], store)
      expect(digests(missing).sort()).toEqual(digests(files(lock, requests[0])).sort())
      await fetch(missing)
      expect(missingPackages([unpacking], store)).toEqual([])
      const graph: Graph = { layers: new Map([['layer', unpacking]]), boot: new Map(), others: new Map() }
      const read = parseGraph(graphText(graph).text)
      expect(derivationDigest(read.layers.get('layer') ?? expect.fail('no layer'))).toBe(derivationDigest(unpacking))
      const bySource = (file: LockedFile) => file.source ?? 'debian'
      expect(packagesIn(read).map(bySource)).toEqual(packagesIn(graph).map(() => source.name))
    })
  })
}
