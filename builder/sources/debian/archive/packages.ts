import { readFile } from 'node:fs/promises'
import { UserError } from '../../../../errors.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import { type PackageIndex, packageIndex } from '../../../../images/debian/package-index.ts'
import { digestOf } from '../../../../images/digest.ts'
import type { Store } from '../../../store/store.ts'
import { GoneError } from '../../source.ts'
import { COMPRESSIONS, type Compression, decompress } from './decompress.ts'
import { type FetchOptions, fetchObjects } from './fetch.ts'
import type { Release } from './release.ts'
import { type Suite, suiteKey } from './suites.ts'
import type { Wanted } from './wanted.ts'

/** The packages of one suite for one architecture, those of architecture `all` among them. */
export interface SuiteIndex {
  readonly suite: Suite
  readonly release: Release
  readonly packages: PackageIndex
}

/**
 * The indices of an architecture in the order of the releases, by the digests that they name. The compressed files stay
 * in the store: one that has not changed is not fetched again.
 */
export async function fetchIndices(
  releases: readonly Release[],
  architecture: Architecture,
  options: FetchOptions,
): Promise<SuiteIndex[]> {
  const files = releases.map((release) => indexFile(release, architecture))
  await fetchByHash(files, options)
  return Promise.all(
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
    // Debian names the plain file too, but no mirror has it: it comes last.
    if (file !== undefined) {
      return { release, compression, wanted: { archive: suite.archive, path: `dists/${suite.name}/${name}`, ...file } }
    }
  }
  throw new UserError('fetch', `suite '${suiteKey(suite)}' has no packages for architecture '${architecture}'`, {
    hint: 'use a mirror that has it: HANGAR_DEBIAN_MIRROR=URL',
  })
}

/** By digest first, where a mirror that is just being updated still has the index of the release that it gave us. */
async function fetchByHash(files: readonly IndexFile[], options: FetchOptions): Promise<void> {
  const byHash = files
    .filter(({ release }) => release.fields.get('acquire-by-hash') === 'yes')
    .map(({ wanted }) => ({ ...wanted, path: wanted.path.replace(/[^/]*$/, `by-hash/SHA256/${wanted.sha256}`) }))
  try {
    await fetchObjects(byHash, options)
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
  }
  await fetchObjects(
    files.map(({ wanted }) => wanted),
    options,
  )
}

async function readObject({ sha256, path }: Wanted, store: Store): Promise<Uint8Array> {
  const bytes = await readFile(store.path(sha256))
  if (digestOf(bytes) === sha256) return bytes
  throw new UserError('store', `'${path}' is damaged in the store: '${store.path(sha256)}'`, {
    hint: 'find and remove what is damaged with: npm run store:verify',
  })
}
