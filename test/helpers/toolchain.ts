import { join } from 'node:path'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { fetchFrom, openSources } from '../../builder/sources/registry.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import type { Store } from '../../builder/store/store.ts'
import type { Fetch } from '../../builder/toolchain/toolchain.ts'
import { debianArchitecture } from '../../images/architecture.ts'
import type { Toolchain } from '../../images/derivation.ts'
import { lockedPackages } from '../../images/lock.ts'
import { TOOLCHAIN } from '../../images/sets.ts'
import { listReporter } from './reporter.ts'

export const PROJECT = join(import.meta.dirname, '../..')

export interface WithToolchain {
  readonly store: Store
  readonly fetch: Fetch
  readonly toolchain: Toolchain
}

/** The machine's store, and the locked toolchain, which is fetched and unpacked at first use. */
export async function storeWithToolchain(): Promise<WithToolchain> {
  const architecture = debianArchitecture(process.arch) ?? 'amd64'
  const lock = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
  const packages = lockedPackages(lock, { set: TOOLCHAIN, architecture })
  if (packages === undefined) throw new Error('the lock has no toolchain: npm run lock')
  const store = await openStore(storeRoot(process.env))
  const sources = await openSources({ env: process.env, project: PROJECT })
  const fetch = fetchFrom(sources, { store, reporter: listReporter() })
  return { store, fetch, toolchain: { name: 'build', architecture, packages } }
}
