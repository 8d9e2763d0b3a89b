import { join } from 'node:path'
import { readAssets } from '../../builder/assets.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { plainReporter } from '../../builder/report/plain.ts'
import { lockedIn, openWorkshop, type Workshop } from '../../builder/workshop.ts'
import { BASE } from '../../hosts/image-of.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Toolchain } from '../../images/derivation.ts'
import { accounts } from '../../images/ids.ts'
import type { Lock } from '../../images/lock.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import type { Accounts, RootPackages } from '../../images/recipes/base.ts'
import { ORACLE } from '../../images/recipes/oracle.ts'
import type { Kitchen } from '../../images/recipes/recipe.ts'
import { TOOLCHAIN } from '../../images/sets.ts'
import { compile } from './compile.ts'
import { PROJECT } from './toolchain.ts'

/** What both ways of making the base's root are given: the same lock, the same ids. */
export interface RootKit {
  readonly workshop: Workshop
  readonly kitchen: Kitchen
  readonly oracle: Toolchain
  readonly packages: RootPackages
  readonly accounts: Accounts
}

const TARGET: Architecture = 'arm64'

/** Runs `use` with the machine's own store and the project's locks, which are resolved where they lack something. */
export async function withRootKit<T>(use: (kit: RootKit) => Promise<T>, project = PROJECT): Promise<T> {
  const reporter = plainReporter((line) => process.stdout.write(`${line}\n`), { now: () => performance.now() })
  const signal = new AbortController().signal
  compile(project)
  const workshop = await openWorkshop({ env: process.env, project, reporter, now: new Date(), signal })
  const native = (set: ArchitectureSet['set']) => ({ set, architecture: workshop.builder })
  const base = { set: BASE, architecture: TARGET }
  const toolchain = (name: string, set: ArchitectureSet, lock: Lock): Toolchain => ({
    name,
    architecture: workshop.builder,
    packages: lockedIn(lock, set),
  })
  return withLock(workshop, [native(TOOLCHAIN), native(BASE), base], undefined, (lock) =>
    withLock(ofOracle(workshop), [native(ORACLE)], undefined, (oracleLock) =>
      use({
        workshop,
        kitchen: {
          builder: workshop.builder,
          target: TARGET,
          toolchain: toolchain('build', native(TOOLCHAIN), lock),
          steps: readAssets(project).steps,
        },
        oracle: toolchain('oracle', native(ORACLE), oracleLock),
        packages: { native: lockedIn(lock, native(BASE)), target: lockedIn(lock, base) },
        accounts: accounts(),
      }),
    ),
  )
}

/** A lock of its own: in the images' it would move what it shares with them, where the archive has moved on. */
function ofOracle(workshop: Workshop): Workshop {
  return { ...workshop, lockFile: join(workshop.project, 'images/oracle.lock.json') }
}
