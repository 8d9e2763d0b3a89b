import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { compareVersions } from '../../../images/debian/version.ts'
import { debs } from '../../../images/layers/layer-recipe.ts'
import { EMPTY_LOCK, type Lock, type LockedPackage, parseLock } from '../../../images/lock.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
import { debPurl } from '../../../images/sbom/purl.ts'
import type { Source, SourceDefinition } from '../source.ts'
import { aptProxy } from './archive/apt-proxy.ts'
import { coverages } from './archive/coverage.ts'
import { fetchObjects } from './archive/fetch.ts'
import { type Mirrors, mirrorsOf, readAptSources, snapshots } from './archive/mirrors.ts'
import type { Pacing } from './archive/servers.ts'
import { DEBIAN_LOCK } from './lock-format.ts'
import { lockSets } from './resolve/lock-sets.ts'

export type DebianSource = Source<ArchitectureSet, Lock, LockedPackage>

/** Settings for Debian's archives: the servers, and the keys that must have signed the indexes. */
export interface DebianSettings extends Pacing {
  readonly mirrors: Mirrors
  /** The servers for files that no mirror has any more. */
  readonly lastResort: () => Promise<Mirrors | undefined>
  /** Returns the armored public keys of the archives. */
  readonly keyring: () => Promise<string>
  /** The dates of the releases that the lock used: `archive/suite` -> date. */
  readonly releases: () => Promise<Readonly<Record<string, string>>>
  /** The time at which keys and releases have to be valid. */
  readonly today: () => Date
}

/** Debian's archives as a source of packages. */
export const debian: SourceDefinition<ArchitectureSet, Lock, LockedPackage> = {
  ...DEBIAN_LOCK,
  async open({ env, project }) {
    const lockFile = resolve(project, DEBIAN_LOCK.lockFile)
    return debianSource({
      mirrors: mirrorsOf(env, await readAptSources()),
      lastResort: async () => snapshots((await readDebianLock(lockFile)).time),
      keyring: () => readFile(join(project, 'images/keyrings/debian-archive.asc'), 'utf8'),
      releases: async () => (await readDebianLock(lockFile)).releases,
      today: () => new Date(),
      proxy: aptProxy(env),
    })
  },
}

/** Debian's archives as a source, at the given mirrors. */
export function debianSource(settings: DebianSettings): DebianSource {
  const { mirrors, lastResort, keyring, releases, today, ...pacing } = settings
  return {
    ...DEBIAN_LOCK,
    async resolve(wanted, current, mode, context) {
      return lockSets(wanted, current, mode, { ...context, ...pacing, mirrors, keyring: await keyring() })
    },
    async fetch(files, context) {
      const coverage = coverages(async () => ({ keyring: await keyring(), known: await releases(), now: today() }))
      await fetchObjects(files, { ...context, ...pacing, mirrors, coverage, lastResort: await lastResort() })
    },
    inputs: debs,
    describe(file) {
      const { package: name, version, architecture } = file
      return { name, version, architecture, purl: debPurl(file, { name, version }) }
    },
    compareVersions,
  }
}

/** Reads the Debian lock from a file. If the file does not exist, returns the empty lock. */
export async function readDebianLock(path: string): Promise<Lock> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? EMPTY_LOCK : parseLock(text, path)
}
