import { join } from 'node:path'
import { readAssets } from '../../builder/assets.ts'
import { type BuildContext, lockedIn, openBuildContext } from '../../builder/context.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { plainReporter } from '../../cli/display/plain.ts'
import { BASE } from '../../hosts/schema/image-of.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Toolchain } from '../../images/derivation.ts'
import { accounts } from '../../images/ids.ts'
import type { Accounts, RootPackages } from '../../images/layers/base/recipe.ts'
import type { LayerContext } from '../../images/layers/layer-recipe.ts'
import { ORACLE } from '../../images/layers/oracle/recipe.ts'
import type { Lock } from '../../images/lock.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import { TOOLCHAIN } from '../../images/sets.ts'
import { compile } from './compile.ts'
import { PROJECT } from './toolchain.ts'

/** The lock and the ids, which both ways of making the root of the base layer use. */
export interface RootKit {
  readonly context: BuildContext
  readonly layerContext: LayerContext
  readonly oracle: Toolchain
  readonly packages: RootPackages
  readonly accounts: Accounts
}

const TARGET: Architecture = 'arm64'

/** Runs `use` with the machine's store and the project's locks. Missing lock entries are resolved. */
export async function withRootKit<T>(use: (kit: RootKit) => Promise<T>, project = PROJECT): Promise<T> {
  const reporter = plainReporter((line) => process.stdout.write(`${line}\n`), { now: () => performance.now() })
  const signal = new AbortController().signal
  compile(project)
  const context = await openBuildContext({ env: process.env, project, reporter, now: new Date(), signal })
  const native = (set: ArchitectureSet['set']) => ({ set, architecture: context.builder })
  const base = { set: BASE, architecture: TARGET }
  const toolchain = (name: string, set: ArchitectureSet, lock: Lock): Toolchain => ({
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
          steps: readAssets(project).steps,
        },
        oracle: toolchain('oracle', native(ORACLE), oracleLock),
        packages: { native: lockedIn(lock, native(BASE)), target: lockedIn(lock, base) },
        accounts: accounts(),
      }),
    ),
  )
}

/** Its own lock: it must not change versions in the lock of the images. */
function ofOracle(context: BuildContext): BuildContext {
  return { ...context, lockFile: join(context.project, 'images/oracle.lock.json') }
}
