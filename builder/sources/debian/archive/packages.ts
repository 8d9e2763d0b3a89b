import { readFile } from 'node:fs/promises'
import { UserError } from '../../../../errors.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import { type PackageIndex, packageIndex } from '../../../../images/debian/package-index.ts'
import { digestOf } from '../../../../images/digest.ts'
import { allEnded } from '../../../../lib/worker-pool.ts'
import type { Store } from '../../../store/store.ts'
import { GoneError } from '../../source.ts'
import { COMPRESSIONS, type Compression, decompress } from './decompress.ts'
import { type FetchOptions, fetchObjects } from './fetch.ts'
import type { Release } from './release.ts'
import { type Suite, suiteKey, type Wanted } from './suites.ts'

/** The packages of one suite for one architecture, including those of architecture `all`. */
export interface SuiteIndex {
  readonly suite: Suite
  readonly release: Release
  readonly packages: PackageIndex
}

/**
 * Fetches the indexes of an architecture, in the order of the releases, by the digests that the releases name. The files
 * stay in the store, so that an unchanged index is not fetched again.
 */
export async function fetchIndices(
  releases: readonly Release[],
  architecture: Architecture,
  options: FetchOptions,
): Promise<SuiteIndex[]> {
  const files = releases.map((release) => indexFile(release, architecture))
  await fetchByHash(files, options)
  return allEnded(
    files.map(async ({ release, wanted, compression }) => {
      const bytes = await decompress(await readObject(wanted, options.store), compression, options.store)
      return { suite: release.suite, release, packages: packageIndex(bytes) }
    }),
  )
}

interface IndexFile {
  readonly release: Release
  readonly wanted: Wanted
  readonly compression: Compression
}

function indexFile(release: Release, architecture: Architecture): IndexFile {
  const { suite } = release
  for (const compression of COMPRESSIONS) {
    const name = `main/binary-${architecture}/Packages${compression}`
    const file = release.files.get(name)
    // Tries the uncompressed index last: releases name this file, but no mirror has it.
    if (file !== undefined) {
      return { release, compression, wanted: { archive: suite.archive, path: `dists/${suite.name}/${name}`, ...file } }
    }
  }
  throw new UserError('fetch', `suite '${suiteKey(suite)}' has no packages for architecture '${architecture}'`, {
    hint: 'use a mirror that has this architecture: HANGAR_DEBIAN_MIRROR=URL',
  })
}

/** Tries the by-hash paths first: a mirror in the middle of an update still has the old indexes there. */
async function fetchByHash(files: readonly IndexFile[], options: FetchOptions): Promise<void> {
  const byHash = files
    .filter(({ release }) => release.fields.get('acquire-by-hash') === 'yes')
    .map(({ wanted }) => ({ ...wanted, path: wanted.path.replace(/[^/]*$/, `by-hash/SHA256/${wanted.sha256}`) }))
  try {
    await fetchObjects(byHash, options)
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
  }
  try {
    await fetchObjects(
      files.map(({ wanted }) => wanted),
      options,
    )
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
    // No package has left the archive: the mirrors lack an index that a release of today names.
    const hint =
      'try again in some minutes, when the mirror has finished its update; or use another mirror: HANGAR_DEBIAN_MIRROR=URL'
    throw new UserError('fetch', error.message, { hint, cause: error })
  }
}

async function readObject({ sha256, path }: Wanted, store: Store): Promise<Uint8Array> {
  const bytes = await readFile(store.path(sha256))
  if (digestOf(bytes) === sha256) return bytes
  throw new UserError('store', `the index '${path}' is corrupt in the store: '${store.path(sha256)}'`, {
    hint: 'remove corrupt objects: npm run store:verify',
  })
}
