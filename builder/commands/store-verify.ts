import { openStore, storeRoot } from '../store/directory.ts'
import { verifyStore } from '../store/verify.ts'
import type { Surroundings } from '../workshop.ts'

/** Reads the whole store; what is damaged is named and taken out, so that the next build makes it again. */
export async function storeVerifyCommand({ env, reporter, signal }: Surroundings): Promise<string> {
  const store = await openStore(storeRoot(env))
  const { whole, damaged } = await verifyStore(store, reporter, signal)
  if (damaged.length === 0) return `${whole} objects in ${store.root}, all whole`
  return `${whole} objects whole, ${damaged.length} damaged and taken out:\n${damaged.map((name) => `  ${name}`).join('\n')}\nthe next build makes or fetches them again`
}
