import { type ListedGeneration, listGenerations } from '../../builder/generations/list.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { formatSize } from '../../lib/format.ts'
import { formatTable } from '../display/table.ts'

export interface GenerationsCommand {
  readonly env: NodeJS.ProcessEnv
  readonly host: string
  readonly format: 'text' | 'json'
  /** Whether those are shown of which only the name is left. */
  readonly shown: 'kept' | 'all'
}

/** A host's generations in this store, newest first. */
export async function generationsCommand({ env, host, format, shown }: GenerationsCommand): Promise<string> {
  const all = listGenerations(await openStore(storeRoot(env), 'read'), host)
  if (format === 'json') return JSON.stringify(all, null, 2)
  const rows = all.filter(({ state }) => shown === 'all' || state !== 'collected')
  const hidden = all.length - rows.length
  if (all.length === 0) return `no generation of ${host} yet\nnext: npm run build:image ${host}`
  return [
    ...(rows.length === 0 ? [] : [formatTable([HEAD, ...rows.map(row)])]),
    ...(hidden === 0 ? [] : [`${hidden} more of which only the name is left: npm run generations ${host} -- --all`]),
  ].join('\n')
}

const HEAD = ['generation', 'root', 'built', 'revision', 'lock', 'slot', 'is']

function row({ number, root, built, revision, lock, sizes, state }: ListedGeneration): string[] {
  return [
    `${number}`,
    root.slice(0, 12),
    `${built.slice(0, 16).replace('T', ' ')} UTC`,
    revision === null ? '-' : revision.replace(/^(.{12}).{28}/, '$1'),
    lock === null ? '-' : lock.slice(0, 12),
    sizes === null ? '-' : formatSize(sizes.slot),
    state === 'collected' ? 'a name' : state,
  ]
}
