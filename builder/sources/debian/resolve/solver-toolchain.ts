import type { Architecture } from '../../../../images/architecture.ts'
import { type LockedPackage, packageKey } from '../../../../images/lock.ts'
import type { ArchitectureSet } from '../../../../images/package-set.ts'
import type { Reporter } from '../../../../lib/reporter.ts'
import type { Fetch } from '../../../toolchain/toolchain.ts'
import { GoneError } from '../../source.ts'
import { bootstrapSet } from './bootstrap.ts'
import type { Catalogue } from './catalogue.ts'

/** The packages of the toolchain that runs apt. `bootstrap` means that hangar has just resolved them without apt. */
export interface SolverToolchain {
  readonly origin: 'lock' | 'bootstrap'
  readonly packages: readonly LockedPackage[]
}

/**
 * The toolchain that runs apt: the locked one if its files can still be fetched, even if its request has changed.
 * Otherwise a new one.
 */
export async function solverToolchain(
  locked: readonly LockedPackage[] | undefined,
  wanted: ArchitectureSet,
  catalogue: (architecture: Architecture) => Promise<Catalogue>,
  { fetch, reporter }: { fetch: Fetch; reporter: Reporter },
): Promise<SolverToolchain> {
  if (locked !== undefined && (await isAvailable(locked, fetch, reporter))) return { origin: 'lock', packages: locked }
  const packages = bootstrapSet(wanted.set, await catalogue(wanted.architecture))
  return { origin: 'bootstrap', packages: packages.sort((a, b) => (packageKey(a) < packageKey(b) ? -1 : 1)) }
}

async function isAvailable(packages: readonly LockedPackage[], fetch: Fetch, reporter: Reporter): Promise<boolean> {
  try {
    await fetch(packages)
    return true
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
    reporter.warn(
      `no mirror has ${error.gone.length} packages of the toolchain any more: resolving the toolchain again`,
    )
    return false
  }
}
