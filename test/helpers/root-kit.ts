import { join } from 'node:path'
import { type BuildContext, lockedIn, openBuildContext } from '../../builder/context.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import type { Locks } from '../../builder/lock/locks.ts'
import { plainReporter } from '../../cli/display/plain.ts'
import { BASE } from '../../hosts/platforms/pi/image-of.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Toolchain } from '../../images/derivation.ts'
import { accounts } from '../../images/ids.ts'
import type { Accounts, RootPackages } from '../../images/layers/base/recipe.ts'
import type { LayerContext } from '../../images/layers/layer-recipe.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import { TOOLCHAIN } from '../../images/sets.ts'
import { ORACLE, ORACLE_LOCK, oracleSteps } from '../oracle/recipe.ts'
import { withLockFile } from './own-lock.ts'
import { PROJECT } from './toolchain.ts'

/** The lock and the ids that both ways to make the root of the base layer use. */
export interface RootKit {
  readonly context: BuildContext
  readonly layerContext: LayerContext
  readonly oracle: Toolchain
  readonly packages: RootPackages
  readonly accounts: Accounts
}

const TARGET: Architecture = 'arm64'

/** Runs `use` with the machine's store and the project's locks. Resolves missing lock entries. */
export async function withRootKit<T>(use: (kit: RootKit) => Promise<T>, project = PROJECT): Promise<T> {
  const reporter = plainReporter((line) => process.stdout.write(`${line}\n`), { now: () => performance.now() })
  const signal = new AbortController().signal
  const steps = await oracleSteps(PROJECT)
  const context = await openBuildContext({ env: process.env, project, reporter, now: new Date(), signal })
  const native = (set: ArchitectureSet['set']): ArchitectureSet => ({ set, architecture: context.builder })
  const base: ArchitectureSet = { set: BASE, architecture: TARGET }
  const toolchain = (name: string, set: ArchitectureSet, lock: Locks): Toolchain => ({
    name,
    architecture: context.builder,
    packages: lockedIn(lock, set),
  })
  return withLock(context, [native(TOOLCHAIN), native(BASE), base], undefined, (lock) =>
    withLock(ofOracle(context), [native(ORACLE)], undefined, (oracleLock) =>
      use({
        context,
        layerContext: {
          builder: context.builder,
          target: TARGET,
          toolchain: toolchain('build', native(TOOLCHAIN), lock),
          steps,
        },
        oracle: toolchain('oracle', native(ORACLE), oracleLock),
        packages: { native: lockedIn(lock, native(BASE)), target: lockedIn(lock, base) },
        accounts: accounts(),
      }),
    ),
  )
}

/** The oracle has its own lock file, so that an update of its packages never changes the packages of an image. */
function ofOracle(context: BuildContext): BuildContext {
  return withLockFile(context, join(PROJECT, ORACLE_LOCK))
}
