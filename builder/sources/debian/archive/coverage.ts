import type { Archive } from '../../../../images/lock.ts'
import { follow, type Request, TransferError } from '../../../../lib/http.ts'
import { COMPRESSIONS } from './decompress.ts'
import { type Reason, reasonOf, redacted } from './failure.ts'
import { blameForRelease, fetchReleaseFrom, inReleasePath, type Release, type ReleaseOptions } from './release.ts'
import { SUITES, suiteKey } from './suites.ts'

/**
 * What a server has of an archive. Only a server with the `whole` archive can tell that Debian has deleted a file. A
 * `partial` one lacks suites, architectures or the latest update, or did not say. A `foreign` one is no mirror of Debian: many
 * vendors have repositories at `…/debian`, too.
 */
export type Coverage = { readonly kind: 'whole' } | { readonly kind: 'partial' | 'foreign'; readonly reason: string }

/** Asks a server what it has of the archive of this file. */
export type CoverageOf = (base: string, archive: Archive, path: string, request: Request) => Promise<Coverage>

type Trust = Omit<ReleaseOptions, 'mirrors'>

/** Asks each server once, when the first file is missing there. */
export function coverages(trust: () => Promise<Trust>): CoverageOf {
  const known = new Map<string, Promise<Coverage>>()
  return (base, archive, path, request) => {
    const architecture = /_([a-z0-9]+)\.deb$/.exec(path)?.[1] ?? 'all'
    const key = `${base} ${archive} ${architecture}`
    const found = known.get(key) ?? trust().then((each) => coverageAt(base, archive, architecture, request, each))
    known.set(key, found)
    return found
  }
}

async function coverageAt(
  base: string,
  archive: Archive,
  architecture: string,
  request: Request,
  trust: Trust,
): Promise<Coverage> {
  const suites = SUITES.filter((suite) => suite.archive === archive)
  for (const suite of suites) {
    const url = `${base}/${inReleasePath(suite)}`
    try {
      const release = await fetchReleaseFrom(url, suite, request, trust)
      await checkIndex(base, release, architecture, request)
    } catch (error) {
      return coverageFor(error, url, suite === suites[0], suiteKey(suite))
    }
  }
  return { kind: 'whole' }
}

/** What only a server that is no mirror of Debian answers to a request for the main suite. */
const FOREIGN: readonly Reason['kind'][] = ['absent', 'foreign', 'unsigned']

function coverageFor(error: unknown, url: string, isMain: boolean, suite: string): Coverage {
  const blame = error instanceof TransferError ? reasonOf(error) : blameForRelease(error)
  if (blame === undefined) throw error
  const isForeign = isMain && FOREIGN.includes(blame.kind)
  const what = isForeign ? 'the server is no mirror of Debian' : `the server does not have all of '${suite}'`
  return { kind: isForeign ? 'foreign' : 'partial', reason: `${what} (${redacted(url)}: ${blame.reason})` }
}

/** A mirror may have the release of a suite, but not the packages of every architecture that the release names. */
async function checkIndex(
  base: string,
  { suite, files }: Release,
  architecture: string,
  request: Request,
): Promise<void> {
  if (architecture === 'all') return
  const names = COMPRESSIONS.map((compression) => `main/binary-${architecture}/Packages${compression}`)
  const name = names.find((each) => files.has(each))
  if (name === undefined) return
  const response = await follow(`${base}/dists/${suite.name}/${name}`, { ...request, method: 'HEAD' })
  response.resume()
  if (response.statusCode === 200) return
  throw new TransferError('refused', `no packages for ${architecture}: HTTP ${response.statusCode}`)
}
