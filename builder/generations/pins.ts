import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile } from '../../lib/atomic-file.ts'
import { type StoreUse, usingStore } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import { generationNumbered, requireKept } from './record.ts'

/** Numbers of a host's generations that no collection takes. */
export function pinnedOf(root: string, host: string): ReadonlySet<number> {
  const directory = join(root, 'generations', host)
  const names = existsSync(directory) ? readdirSync(directory) : []
  return new Set(names.flatMap((name) => /^(\d+)\.pin$/.exec(name)?.[1] ?? []).map(Number))
}

export interface Pinning {
  readonly store: Store
  readonly host: string
  readonly number: number
  readonly use: StoreUse
}

/** Keeps a generation until it is unpinned. Not beside a collection, which may just have chosen it to go. */
export function pin({ store, host, number, use }: Pinning): Promise<'pinned' | 'already'> {
  return usingStore(use, async () => {
    requireKept(host, generationNumbered(store.root, host, number))
    if (pinnedOf(store.root, host).has(number)) return 'already'
    return (await createFile(fileOf(store.root, host, number), '')) ? 'pinned' : 'already'
  })
}

/** From now on the generation goes when its time has come. */
export async function unpin({ store, host, number }: Omit<Pinning, 'use'>): Promise<'unpinned' | 'was not'> {
  generationNumbered(store.root, host, number)
  if (!pinnedOf(store.root, host).has(number)) return 'was not'
  await rm(fileOf(store.root, host, number), { force: true })
  return 'unpinned'
}

function fileOf(root: string, host: string, number: number): string {
  return join(root, 'generations', host, `${number}.pin`)
}
