import type { ListedGeneration } from '../../builder/generations/list.ts'
import { formatSize } from '../../lib/format.ts'
import type { Command } from '../command.ts'
import { formatTable } from '../display/table.ts'
import { JSON_OUTPUT } from '../options.ts'

export interface GenerationsFlags {
  readonly all?: true
  readonly json?: true
}

export const generations: Command<GenerationsFlags> = {
  name: 'generations',
  group: 'generations',
  arguments: '<host>',
  summary: 'list the generations of a host in this store, newest first',
  details: ['A generation is one built image of a host. Its number is local to this store.'],
  options: [
    { flags: '--all', about: 'include expired generations, of which only the record is left' },
    { ...JSON_OUTPUT, about: 'print all generations as JSON' },
  ],
  examples: [{ about: 'list the generations of adama', line: 'npm run generations adama' }],
  async run(context, [name = ''], { all, json }) {
    const { listGenerations } = await import('../../builder/generations/list.ts')
    const { openStore, storeRoot } = await import('../../builder/store/directory.ts')
    const host = await context.hosts.load(name)
    const listed = listGenerations(await openStore(storeRoot(context.env), 'read'), host.name)
    return json ? JSON.stringify(listed, null, 2) : generationsText(host.name, listed, all ? 'all' : 'kept')
  },
}

function generationsText(host: string, all: readonly ListedGeneration[], shown: 'all' | 'kept'): string {
  if (all.length === 0) return `${host} has no generations yet\nnext: npm run build:image ${host}`
  const rows = all.filter(({ state }) => shown === 'all' || state !== 'expired')
  const hidden = all.length - rows.length
  return [
    ...(rows.length === 0 ? [] : [formatTable([HEAD, ...rows.map(row)])]),
    ...(hidden === 0 ? [] : [`${hidden} expired; to list them: npm run generations ${host} -- --all`]),
  ].join('\n')
}

const HEAD = ['generation', 'root', 'built', 'revision', 'lock', 'slot', 'state']

function row({ number, root, built, revision, lock, sizes, state }: ListedGeneration): string[] {
  return [
    `${number}`,
    root.slice(0, 12),
    `${built.slice(0, 16).replace('T', ' ')} UTC`,
    revision === null ? '-' : revision.replace(/^(.{12}).{28}/, '$1'),
    lock === null ? '-' : lock.slice(0, 12),
    sizes === null ? '-' : formatSize(sizes.slot),
    state,
  ]
}
