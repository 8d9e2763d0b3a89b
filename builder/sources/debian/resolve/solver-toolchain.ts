import type { Architecture } from '../../../../images/architecture.ts'
import { type LockedPackage, packageKey } from '../../../../images/lock.ts'
import type { ArchitectureSet } from '../../../../images/package-set.ts'
import type { Reporter } from '../../../../lib/reporter.ts'
import type { Fetch } from '../../../toolchain/toolchain.ts'
import { GoneError } from '../../source.ts'
import { bootstrapSet } from './bootstrap.ts'
import type { Catalogue } from './catalogue.ts'

/** Packages in which apt can run, and whether they come from the lock or were resolved just now, without apt. */
export interface SolverToolchain {
  readonly origin: 'lock' | 'bootstrap'
  readonly packages: readonly LockedPackage[]
}

/** The locked toolchain where it can still be had, even if its set is asked for differently now; else a new one. */
export async function solverToolchain(
  locked: readonly LockedPackage[] | undefined,
  wanted: ArchitectureSet,
  catalogue: (architecture: Architecture) => Promise<Catalogue>,
  { fetch, reporter }: { fetch: Fetch; reporter: Reporter },
): Promise<SolverToolchain> {
  if (locked !== undefined && (await isToBeHad(locked, fetch, reporter))) return { origin: 'lock', packages: locked }
  const packages = bootstrapSet(wanted.set, await catalogue(wanted.architecture))
  return { origin: 'bootstrap', packages: packages.sort((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1)) }
}

async function isToBeHad(packages: readonly LockedPackage[], fetch: Fetch, reporter: Reporter): Promise<boolean> {
  try {
    await fetch(packages)
    return true
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
    reporter.warn(`${error.gone.length} of the toolchain's packages have left every mirror: resolving it anew`)
    return false
  }
}
