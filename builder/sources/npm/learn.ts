import { UserError } from '../../../errors.ts'
import type { Integrity } from '../../../images/npm/integrity.ts'
import { tarballPath } from '../../../images/npm/name.ts'
import type { NpmRequest } from '../../../images/npm/npm-package.ts'
import type { TarballFacts } from '../../../images/npm/tarball-facts.ts'
import type { FetchContext, SourceSettings } from '../source.ts'
import { recalledFacts } from './known-facts.ts'
import { folderPlan, type NpmLock } from './lock-format.ts'
import { fetchTarballs, type TarballOptions } from './tarballs.ts'
import type { WantedTarball } from './wanted-tarball.ts'

export interface LearnOptions extends TarballOptions {
  readonly network: NonNullable<SourceSettings['network']>
}

/**
 * Adds the facts about the tarballs of these folders. The facts decide which packages are needed: an optional package that
 * has to be compiled is left out, together with all that only it needs. So the list is found in rounds.
 */
export async function learnFacts(
  wanted: readonly NpmRequest[],
  lock: NpmLock,
  options: LearnOptions,
  context: FetchContext,
): Promise<NpmLock> {
  let known = lock
  for (let unknown = unknownIn(known, wanted); unknown.length > 0; unknown = unknownIn(known, wanted)) {
    const stored = recalledFacts(
      context.store,
      unknown.map(({ integrity }) => integrity),
    )
    const facts = stored.size > 0 ? stored : await fetchFacts(unknown, options, context)
    known = { ...known, facts: new Map([...known.facts, ...facts]) }
  }
  return known
}

function unknownIn(lock: NpmLock, wanted: readonly NpmRequest[]): WantedTarball[] {
  const unknown = wanted.flatMap(({ folder }) => folderPlan(lock, folder)?.unknown ?? [])
  return unknown.map(({ name, version, integrity }) => {
    return { package: name, version, integrity, path: tarballPath(name, version) }
  })
}

async function fetchFacts(
  unknown: readonly WantedTarball[],
  options: LearnOptions,
  context: FetchContext,
): Promise<Map<Integrity, TarballFacts>> {
  const [first] = unknown
  if (options.network === 'offline')
    throw new UserError(
      'fetch',
      `the store does not know '${first?.package}@${first?.version}' and ${unknown.length - 1} other npm packages, and --offline forbids fetching`,
      { hint: 'run the same command once without --offline' },
    )
  return fetchTarballs(unknown, options, context)
}
