import type { CliContext } from './context.ts'
import { openStore, storeRoot } from './store/directory.ts'
import { type Verified, verifyStore } from './store/verify.ts'
import { verifyToolchains } from './toolchain/verify.ts'

export interface VerifiedStore {
  /** Directory of the store. */
  readonly root: string
  readonly objects: Verified
  readonly toolchains: Verified
}

/** Verifies every object and toolchain, and removes the corrupt ones so that the next build makes them again. */
export async function verifyWholeStore({
  env,
  reporter,
  signal,
}: Pick<CliContext, 'env' | 'reporter' | 'signal'>): Promise<VerifiedStore> {
  const store = await openStore(storeRoot(env))
  // Verifies objects before toolchains, because hangar compares toolchains with their packages, which are objects.
  const objects = await verifyStore(store, reporter, signal)
  const toolchains = await verifyToolchains(store, reporter, signal)
  return { root: store.root, objects, toolchains }
}
