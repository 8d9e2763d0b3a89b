import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { emptyIfAbsent } from '../../lib/writable-directory.ts'
import { isAlive, processIn, type StoreProcess, temporaryName } from './process-liveness.ts'

/** `use` reads and writes, `collect` excludes every use, `programs` runs programs that were unpacked in the store. */
type Kind = 'use' | 'collect' | 'programs'

export interface StoreUse {
  /** The directory of the store. */
  readonly root: string
  /** What the process does, for messages of processes that wait for it: `build of adama`. */
  readonly what: string
  /** Called once, with the name of the other process, when this process has to wait. */
  readonly onWait?: ((other: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** The longest wait in milliseconds; the default is 15 minutes. */
  readonly patience?: number
}

/** A first build takes minutes. */
const PATIENCE = 15 * 60_000
const INTERVAL = 50

/**
 * Runs `use` while no process collects garbage: objects that `use` finds stay, and objects that it adds are not taken for
 * garbage before something refers to them. Any number of uses run at the same time. A collection waits for all of them.
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
    // Later processes see this lease and wait. Only uses that began before it are left.
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

/** Takes the lease first and looks for others after it: of two processes at the same time, at least one sees the other. */
async function enter(kind: 'use' | 'collect', given: StoreUse): Promise<OwnLease> {
  const deadline = performance.now() + (given.patience ?? PATIENCE)
  for (;;) {
    const own = await take(kind, given.root, given.what)
    if (leasesOf(given.root, 'collect').every(({ file }) => file === own.file)) return own
    own.release()
    await waitFor(() => leasesOf(given.root, 'collect')[0], { ...given, patience: deadline - performance.now() })
    // Two collections that released their leases at the same moment would otherwise repeat this in step.
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

/** A file in `users` whose name tells the process that holds the lease. */
interface Lease {
  readonly file: string
  readonly pid: number
}

interface OwnLease {
  readonly file: string
  release(): void
}

/** The name of the file says everything that decides, so that no process can read half a lease. */
async function take(kind: Kind, root: string, text: string): Promise<OwnLease> {
  const file = join(root, 'users', temporaryName(kind))
  makeDirectory(join(root, 'users'))
  removeDeadLeases(root)
  await writeFile(file, text, { flag: 'wx' })
  return { file, release: () => rmSync(file, { force: true }) }
}

/** The leases of running processes. Changes nothing on the disk, because dry runs call it. */
function leasesOf(root: string, wanted: Kind): Lease[] {
  return allLeases(root).flatMap(({ name, owner }) =>
    name.startsWith(`${wanted}-`) && isAlive(owner) ? [{ file: join(root, 'users', name), pid: owner.pid }] : [],
  )
}

function removeDeadLeases(root: string): void {
  for (const { name, owner } of allLeases(root)) if (!isAlive(owner)) rmSync(join(root, 'users', name), { force: true })
}

/** Files with other names are not from hangar, and stay. */
function allLeases(root: string): { name: string; owner: StoreProcess }[] {
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
    // The other process released its lease just now.
    return 'a process that has just ended'
  }
}

function stillInUse(other: string, { file }: Lease): UserError {
  return new UserError('busy', `another process still uses the store: ${other}`, {
    hint: `wait for it to end, or end it; if it ran in a container that was killed: rm '${file}'`,
  })
}
