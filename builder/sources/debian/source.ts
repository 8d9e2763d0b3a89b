import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { compareVersions } from '../../../images/debian/version.ts'
import { debs } from '../../../images/layers/layer-recipe.ts'
import { EMPTY_LOCK, type Lock, type LockedPackage, parseLock } from '../../../images/lock.ts'
import type { ArchitectureSet } from '../../../images/package-set.ts'
import { debPurl } from '../../../images/sbom/purl.ts'
import type { Patience } from '../../../lib/http.ts'
import type { Source, SourceDefinition } from '../source.ts'
import { fetchObjects } from './archive/fetch.ts'
import { type Mirrors, mirrorsOf, readAptSources, snapshots } from './archive/mirrors.ts'
import { DEBIAN_LOCK } from './lock-format.ts'
import { lockSets } from './resolve/lock-sets.ts'

export type DebianSource = Source<ArchitectureSet, Lock, LockedPackage>

/** Settings for Debian's archives: the servers, and the keys that must have signed the indexes. */
export interface DebianSettings {
  readonly mirrors: Mirrors
  /** The servers for files that no mirror has any more. */
  readonly lastResort: () => Promise<Mirrors | undefined>
  /** Returns the armored public keys of the archives. */
  readonly keyring: () => Promise<string>
  readonly patience?: Patience
  /** The wait before hangar tries failed mirrors again, in milliseconds. */
  readonly backoff?: number
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
    })
  },
}

/** Debian's archives as a source, at the given mirrors. */
export function debianSource({ mirrors, lastResort, keyring, ...timing }: DebianSettings): DebianSource {
  return {
    ...DEBIAN_LOCK,
    async resolve(wanted, current, mode, context) {
      return lockSets(wanted, current, mode, { ...context, ...timing, mirrors, keyring: await keyring() })
    },
    async fetch(files, context) {
      await fetchObjects(files, { ...context, ...timing, mirrors, lastResort: await lastResort() })
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
