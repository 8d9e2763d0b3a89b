import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { isAlive, processIn, type StoreProcess, temporaryName } from './process-liveness.ts'

/** What a process does with a store: `collect` excludes the others, `programs` runs what it unpacked there. */
type Kind = 'use' | 'collect' | 'programs'

export interface StoreUse {
  /** Of the store. */
  readonly root: string
  /** For whoever has to wait: `build of adama`. */
  readonly what: string
  /** Told once, when it has to wait. */
  readonly onWait?: ((who: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that it waits at most. */
  readonly patience?: number
}

/** A build takes minutes where nothing was built before. */
const PATIENCE = 15 * 60_000
const INTERVAL = 50

/**
 * Nothing is collected while `use` runs: what it finds in the store stays there, and what it puts there is not taken for
 * garbage before something names it. Any number of uses run at once; a collection waits for them, and they for it.
 */
export async function usingStore<T>(given: StoreUse, use: () => Promise<T>): Promise<T> {
  const { remove } = await enter('use', given)
  try {
    return await use()
  } finally {
    remove()
  }
}

/** Runs `collect` while nobody else uses the store. */
export async function collectingStore<T>(given: StoreUse, collect: () => Promise<T>): Promise<T> {
  const { remove } = await enter('collect', given)
  try {
    // Whoever comes from now on finds our mark and waits; these were here before.
    await waitFor(() => marksOf(given.root, 'use')[0], given)
    return await collect()
  } finally {
    remove()
  }
}

/** The directory of unpacked programs stays until this process ends: it runs them. */
export async function keepPrograms(root: string, directory: string): Promise<void> {
  const { remove } = await place('programs', root, directory)
  process.once('exit', remove)
}

/** Directories of unpacked programs that some process runs. */
export function programsInUse(root: string): string[] {
  return marksOf(root, 'programs').map(({ file }) => readWhat(file))
}

/** First the mark and then the look around: of two that come at once, at least one sees the other. */
async function enter(kind: 'use' | 'collect', given: StoreUse): Promise<Placed> {
  const deadline = performance.now() + (given.patience ?? PATIENCE)
  for (;;) {
    const placed = await place(kind, given.root, given.what)
    if (marksOf(given.root, 'collect').every(({ file }) => file === placed.file)) return placed
    placed.remove()
    await waitFor(() => marksOf(given.root, 'collect')[0], { ...given, patience: deadline - performance.now() })
    // Two collections that stepped back at the same moment must not go on doing so.
    if (kind === 'collect') await sleep(Math.random() * INTERVAL)
  }
}

async function waitFor(inTheWay: () => Mark | undefined, { onWait, signal, patience = PATIENCE }: StoreUse) {
  const deadline = performance.now() + patience
  let isTold = false
  for (let mark = inTheWay(); mark !== undefined; mark = inTheWay()) {
    signal?.throwIfAborted()
    const who = `${readWhat(mark.file)} (process ${mark.pid})`
    if (performance.now() > deadline) throw stillThere(who, mark)
    if (!isTold) onWait?.(who)
    isTold = true
    await sleep(INTERVAL)
  }
}

interface Mark {
  readonly file: string
  readonly pid: number
}

interface Placed {
  readonly file: string
  remove(): void
}

/** All that tells whether its process lives is in a mark's name: it is never seen half-written. */
async function place(kind: Kind, root: string, what: string): Promise<Placed> {
  const file = join(root, 'users', temporaryName(kind))
  await mkdir(join(root, 'users'), { recursive: true })
  removeDeadMarks(root)
  await writeFile(file, what, { flag: 'wx' })
  return { file, remove: () => rmSync(file, { force: true }) }
}

/** Marks of living processes. Reading them changes nothing: a dry run reads them too. */
function marksOf(root: string, wanted: Kind): Mark[] {
  return allMarks(root).flatMap(({ name, owner }) =>
    name.startsWith(`${wanted}-`) && isAlive(owner) ? [{ file: join(root, 'users', name), pid: owner.pid }] : [],
  )
}

function removeDeadMarks(root: string): void {
  for (const { name, owner } of allMarks(root)) if (!isAlive(owner)) rmSync(join(root, 'users', name), { force: true })
}

/** Files of any other form are not ours. */
function allMarks(root: string): { name: string; owner: StoreProcess }[] {
  return namesIn(join(root, 'users')).flatMap((name) => {
    const owner = /^(use|collect|programs)-/.test(name) ? processIn(name) : undefined
    return owner === undefined ? [] : [{ name, owner }]
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readWhat(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'something that has just ended'
  }
}

function stillThere(who: string, { file }: Mark): UserError {
  return new UserError('busy', `the store is still in use: ${who}`, {
    hint: `wait for it to end, or end it; if it ended in a container that was killed: rm '${file}'`,
  })
}
