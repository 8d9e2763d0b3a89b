import type { SourceRequest } from '../../images/locked-file.ts'
import type { BuildContext } from '../context.ts'
import { itemsOf } from '../sources/registry.ts'
import { GoneError, type LockMode, type Source } from '../sources/source.ts'
import { changesBetween, changesText } from './changes.ts'
import { type FrozenFlag, frozenAndGone, isFrozen, refuseUnlocked } from './frozen.ts'
import { type Locks, locksOf, readLocks, writeLock } from './locks.ts'

/**
 * Runs `use` with locks that have an entry for every wanted request. Adds missing entries first. If `use` throws
 * GoneError, resolves the entries whose files no server has any more, and runs `use` once more. If the locks are
 * frozen, both cases throw UserError.
 */
export async function withLock<T>(
  context: BuildContext,
  wanted: readonly SourceRequest[],
  flag: FrozenFlag,
  use: (locks: Locks) => Promise<T>,
): Promise<T> {
  const frozen = isFrozen(flag, context.env)
  let locks = await readLocks(context.project, context.sources, context.store)
  try {
    locks = await (frozen ? frozenLocks(context, wanted, locks) : completeLocks(context, wanted, locks))
    return await use(locks)
  } catch (error) {
    if (!(error instanceof GoneError)) throw error
    if (frozen) throw frozenAndGone(error.gone)
    context.reporter.warn(`no mirror has ${error.gone.length} of the locked packages any more: ${error.message}`)
    const done = 'locked newer versions, and packages that have to move with them'
    return use(await relock(context, wanted, locks, { kind: 'gone', gone: error.gone }, done))
  }
}

function completeLocks(context: BuildContext, wanted: readonly SourceRequest[], current: Locks): Promise<Locks> {
  const done = 'locked packages that the lock file did not have'
  return relock(context, wanted, current, { kind: 'missing' }, done)
}

/** A frozen lock must not change. Sources still learn the facts that its text does not state. */
async function frozenLocks(context: BuildContext, wanted: readonly SourceRequest[], current: Locks): Promise<Locks> {
  const locks = new Map<string, unknown>()
  for (const source of context.sources) {
    const lock = current.of(source)
    locks.set(source.name, (await source.learn?.(itemsOf(source, wanted), lock, context)) ?? lock)
  }
  const learnt = locksOf(context.sources, locks)
  refuseUnlocked(wanted, learnt)
  return learnt
}

/**
 * Resolves the entries that the mode selects. Writes the lock files that changed, and reports each changed version in a
 * notice that begins with `done`. Returns `current` itself when nothing changed, not even a fact about a locked file.
 */
export async function relock(
  context: BuildContext,
  wanted: readonly SourceRequest[],
  current: Locks,
  mode: LockMode,
  done: string,
): Promise<Locks> {
  const locks = new Map<string, unknown>()
  const locked = (request: SourceRequest) => {
    const source = context.sources.find((each) => itemsOf(each, [request]).length > 0)
    return source?.locked(locks.get(source.name) ?? current.of(source), request)
  }
  for (const source of context.sources) {
    const before = current.of(source)
    const wantedHere = itemsOf(source, wanted)
    const after = await source.resolve(wantedHere, before, modeFor(source, mode), { ...context, locked })
    locks.set(source.name, after)
    if (after === before || source.text(after) === source.text(before)) continue
    const files = await writeLock(context.project, source, after)
    const changes = changesBetween(source, before, after)
    const commit = `commit ${files.join(' ')}`
    context.reporter.notice(`${done} (${changes.length} packages); ${commit}\n${changesText(changes)}`.trimEnd())
  }
  return context.sources.every((source) => locks.get(source.name) === current.of(source))
    ? current
    : locksOf(context.sources, locks)
}

function modeFor(source: Source, mode: LockMode): LockMode {
  return mode.kind === 'gone' ? { kind: 'gone', gone: itemsOf(source, mode.gone) } : mode
}
