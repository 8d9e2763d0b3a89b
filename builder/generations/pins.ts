import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile } from '../../lib/atomic-file.ts'
import { type StoreUse, usingStore } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import { generationNumbered, requireKept } from './find.ts'

/** The numbers of the host's pinned generations, which `gc` keeps. */
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

/**
 * Keeps a generation until the user unpins it. Waits for a running `gc`, which may be about to delete the generation.
 */
export function pin({ store, host, number, use }: Pinning): Promise<'pinned' | 'already'> {
  return usingStore(use, async () => {
    requireKept(host, generationNumbered(store.root, host, number))
    if (pinnedOf(store.root, host).has(number)) return 'already'
    return (await createFile(fileOf(store.root, host, number), '')) ? 'pinned' : 'already'
  })
}

/** Lets `gc` delete the generation again when it is old enough. */
export async function unpin({ store, host, number }: Omit<Pinning, 'use'>): Promise<'unpinned' | 'not pinned'> {
  generationNumbered(store.root, host, number)
  if (!pinnedOf(store.root, host).has(number)) return 'not pinned'
  await rm(fileOf(store.root, host, number), { force: true })
  return 'unpinned'
}

function fileOf(root: string, host: string, number: number): string {
  return join(root, 'generations', host, `${number}.pin`)
}
