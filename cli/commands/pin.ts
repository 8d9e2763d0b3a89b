import { storeUse } from '../../builder/context.ts'
import { parseNumber } from '../../builder/generations/find.ts'
import { pin, unpin } from '../../builder/generations/pins.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import type { Reporter } from '../../lib/reporter.ts'

export interface PinCommand {
  readonly env: NodeJS.ProcessEnv
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly host: string
  /** As it was typed. */
  readonly number: string
}

/** Keeps a generation, whatever is collected. */
export async function pinCommand({ host, number, ...command }: PinCommand): Promise<string> {
  const store = await openStore(storeRoot(command.env))
  const wanted = parseNumber(number, host)
  const use = storeUse({ ...command, store }, `pin of generation ${wanted} of ${host}`)
  const outcome = await pin({ store, host, number: wanted, use })
  return outcome === 'already'
    ? `generation ${wanted} of ${host} was pinned already`
    : `generation ${wanted} of ${host} is pinned: no collection takes it\nno longer: npm run unpin ${host} ${wanted}`
}

export async function unpinCommand({
  host,
  number,
  env,
}: Pick<PinCommand, 'host' | 'number' | 'env'>): Promise<string> {
  const store = await openStore(storeRoot(env))
  const wanted = parseNumber(number, host)
  const outcome = await unpin({ store, host, number: wanted })
  return outcome === 'unpinned'
    ? `generation ${wanted} of ${host} goes when its time has come: npm run gc`
    : `generation ${wanted} of ${host} was not pinned`
}
