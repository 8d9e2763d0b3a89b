import type { VerifiedStore } from '../../builder/verify-store.ts'
import type { Command } from '../command.ts'

export const storeVerify: Command = {
  name: 'store verify',
  group: 'store',
  arguments: '',
  summary: 'verify every object and toolchain, and remove corrupt ones',
  details: ['The next build makes or fetches removed objects again.'],
  options: [],
  examples: [{ about: 'verify the store', line: 'npm run store:verify' }],
  async run(context) {
    const { verifyWholeStore } = await import('../../builder/verify-store.ts')
    return verifyText(await verifyWholeStore(context))
  },
}

export function verifyText({ root, objects, toolchains }: VerifiedStore): string {
  const intact = `${objects.whole} objects and ${toolchains.whole} toolchains in ${root} are intact`
  const corrupt = [...objects.damaged, ...toolchains.damaged]
  if (corrupt.length === 0) return intact
  const names = corrupt.map((name) => `  ${name}\n`).join('')
  return `${intact}; removed ${corrupt.length} corrupt:\n${names}the next build makes or fetches them again`
}
