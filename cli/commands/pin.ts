import type { Command } from '../command.ts'

export const pin: Command = {
  name: 'pin',
  group: 'generations',
  arguments: '<host> <number>',
  summary: 'protect a generation from gc',
  details: [],
  options: [],
  examples: [{ about: 'keep generation 3 of adama', line: 'npm run pin adama 3' }],
  async run(context, [name = '', typed = '']) {
    const { storeUse } = await import('../../builder/context.ts')
    const { parseNumber } = await import('../../builder/generations/find.ts')
    const { pin: pinGeneration } = await import('../../builder/generations/pins.ts')
    const { openStore, storeRoot } = await import('../../builder/store/directory.ts')
    const host = (await context.hosts.load(name)).name
    const store = await openStore(storeRoot(context.env))
    const number = parseNumber(typed, host)
    const use = storeUse({ ...context, store }, `pin of generation ${number} of ${host}`)
    const outcome = await pinGeneration({ store, host, number, use })
    if (outcome === 'already') return `generation ${number} of ${host} is already pinned`
    return `generation ${number} of ${host} is pinned: gc keeps it\nundo: npm run unpin ${host} ${number}`
  },
}
