import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { isAlive, processIn, type RecordedProcess, temporaryName } from '../../lib/process-liveness.ts'
import { emptyIfAbsent } from '../../lib/writable-directory.ts'

/**
 * `use` reads and writes objects, `collect` deletes garbage and excludes every `use`, `programs` runs programs that are
 * unpacked in the store.
 */
type Kind = 'use' | 'collect' | 'programs'

export interface StoreUse {
  /** The directory of the store. */
  readonly root: string
  /** What the process does, for the messages of waiting processes: `build of adama`. */
  readonly what: string
  /** Called once if this process has to wait, with the name of the other process. */
  readonly onWait?: ((other: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** The longest wait in milliseconds; the default is 15 minutes. */
  readonly patience?: number
}

/** The default for the longest wait. It is long, because a first build takes minutes. */
const PATIENCE = 15 * 60_000
const INTERVAL = 50

/**
 * Runs `use` while no process collects garbage. Objects that `use` reads or adds stay in the store until `use` ends.
 * Any number of uses can run at the same time, and a garbage collection waits for all of them.
 */
export async function usingStore<T>(given: StoreUse, use: () => Promise<T>): Promise<T> {
  const { release } = await enter('use', given)
  try {
    return await use()
  } finally {
    release()
  }
}

/** Runs `collect` while no other process uses the store. */
export async function collectingStore<T>(given: StoreUse, collect: () => Promise<T>): Promise<T> {
  const { release } = await enter('collect', given)
  try {
    // Later processes see this lease and wait. This process waits only for uses that began before its lease.
    await waitFor(() => leasesOf(given.root, 'use')[0], given)
    return await collect()
  } finally {
    release()
  }
}

/** Keeps a directory of unpacked programs in the store until this process ends. */
export async function keepPrograms(root: string, directory: string): Promise<void> {
  const { release } = await take('programs', root, directory)
  process.once('exit', release)
}

/** The directories of unpacked programs that running processes keep. */
export function programsInUse(root: string): string[] {
  return leasesOf(root, 'programs').map(readText)
}

/**
 * Takes the lease first, and then looks for other leases: of two processes at the same time, at least one sees the
 * other.
 */
async function enter(kind: 'use' | 'collect', given: StoreUse): Promise<OwnLease> {
  const deadline = performance.now() + (given.patience ?? PATIENCE)
  for (;;) {
    const own = await take(kind, given.root, given.what)
    if (leasesOf(given.root, 'collect').every(({ file }) => file === own.file)) return own
    own.release()
    await waitFor(() => leasesOf(given.root, 'collect')[0], { ...given, patience: deadline - performance.now() })
    // Waits for a random time: otherwise two collections that release their leases at the same time could block each
    // other again.
    if (kind === 'collect') await sleep(Math.random() * INTERVAL)
  }
}

async function waitFor(other: () => Lease | undefined, { onWait, signal, patience = PATIENCE }: StoreUse) {
  const deadline = performance.now() + patience
  let isReported = false
  for (let lease = other(); lease !== undefined; lease = other()) {
    signal?.throwIfAborted()
    const name = `${readText(lease)} (process ${lease.pid})`
    if (performance.now() > deadline) throw stillInUse(name, lease)
    if (!isReported) onWait?.(name)
    isReported = true
    await sleep(INTERVAL)
  }
}

/** A lease: a file in `users` whose name identifies the process that holds the lease. */
interface Lease {
  readonly file: string
  readonly pid: number
}

interface OwnLease {
  readonly file: string
  release(): void
}

/** The name of the file contains the whole lease, so that no process can read an incomplete lease. */
async function take(kind: Kind, root: string, text: string): Promise<OwnLease> {
  const file = join(root, 'users', temporaryName(kind))
  makeDirectory(join(root, 'users'))
  removeDeadLeases(root)
  await writeFile(file, text, { flag: 'wx' })
  return { file, release: () => rmSync(file, { force: true }) }
}

/** The leases of running processes. Changes nothing on the disk, because dry runs call this function. */
function leasesOf(root: string, wanted: Kind): Lease[] {
  return allLeases(root).flatMap(({ name, owner }) =>
    name.startsWith(`${wanted}-`) && isAlive(owner) ? [{ file: join(root, 'users', name), pid: owner.pid }] : [],
  )
}

function removeDeadLeases(root: string): void {
  for (const { name, owner } of allLeases(root)) if (!isAlive(owner)) rmSync(join(root, 'users', name), { force: true })
}

/** Ignores files with other names: they are not from hangar. */
function allLeases(root: string): { name: string; owner: RecordedProcess }[] {
  return namesIn(join(root, 'users')).flatMap((name) => {
    const owner = /^(use|collect|programs)-/.test(name) ? processIn(name) : undefined
    return owner === undefined ? [] : [{ name, owner }]
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    return emptyIfAbsent(error as NodeJS.ErrnoException)
  }
}

function readText({ file }: Pick<Lease, 'file'>): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The file is missing, because the other process has just released its lease.
    return 'a process that has just ended'
  }
}

function stillInUse(other: string, { file }: Lease): UserError {
  return new UserError('busy', `another process still uses the store: ${other}`, {
    hint: `wait until the other process ends, or stop it; if its container was killed: rm '${file}'`,
  })
}
