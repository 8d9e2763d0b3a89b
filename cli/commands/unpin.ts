import type { Command } from '../command.ts'

export const unpin: Command = {
  name: 'unpin',
  group: 'generations',
  arguments: '<host> <number>',
  summary: 'allow gc to delete a pinned generation again',
  details: [],
  options: [],
  examples: [{ about: 'undo the pin of generation 3', line: 'npm run unpin adama 3' }],
  async run(context, [name = '', typed = '']) {
    const { parseNumber } = await import('../../builder/generations/find.ts')
    const { unpin: unpinGeneration } = await import('../../builder/generations/pins.ts')
    const { openStore, storeRoot } = await import('../../builder/store/directory.ts')
    const host = (await context.hosts.load(name)).name
    const store = await openStore(storeRoot(context.env))
    const number = parseNumber(typed, host)
    const outcome = await unpinGeneration({ store, host, number })
    return outcome === 'unpinned'
      ? `generation ${number} of ${host} is no longer pinned: gc deletes it when it expires`
      : `generation ${number} of ${host} was not pinned`
  },
}
