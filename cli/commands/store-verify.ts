import type { CliContext } from '../../builder/context.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { verifyStore } from '../../builder/store/verify.ts'
import { verifyToolchains } from '../../builder/toolchain/verify.ts'

/** Reads the whole store; what is damaged is named and taken out, so that the next build makes it again. */
export async function storeVerifyCommand({ env, reporter, signal }: CliContext): Promise<string> {
  const store = await openStore(storeRoot(env))
  const objects = await verifyStore(store, reporter, signal)
  // Afterwards: toolchains are compared with their packages, which are objects.
  const toolchains = await verifyToolchains(store, reporter, signal)
  const found = `${objects.whole} objects and ${toolchains.whole} toolchains in ${store.root}`
  const damaged = [...objects.damaged, ...toolchains.damaged]
  if (damaged.length === 0) return `${found}, all whole`
  const names = damaged.map((name) => `  ${name}\n`).join('')
  return `${found} whole, ${damaged.length} damaged and taken out:\n${names}the next build makes or fetches them again`
}
