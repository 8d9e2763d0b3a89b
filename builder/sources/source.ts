import { UserError } from '../../errors.ts'
import type { Input, Toolchain } from '../../images/derivation.ts'
import type { LockedFile, SourceRequest } from '../../images/locked-file.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import type { Reporter } from '../../lib/reporter.ts'
import type { Runner } from '../runners/runner.ts'
import type { Store } from '../store/store.ts'
import type { Fetch } from '../toolchain/toolchain.ts'

/** Reads and writes a lock that is in several files of the project. */
export interface LockStorage<Lock> {
  read(project: string): Promise<Lock>
  /** Writes the files that changed, and returns their paths. */
  write(project: string, lock: Lock): Promise<readonly string[]>
}

/** The format of a source's lock. All functions except those of `storage` and `recall` are pure. */
export interface LockFormat<
  Request extends SourceRequest = SourceRequest,
  Lock = unknown,
  File extends LockedFile = LockedFile,
> {
  /** The name of the source, which its requests and locked files contain as `source`. */
  readonly name: string
  /** The path of the lock file, below the project's directory. With `storage`, the pattern of the paths, for messages. */
  readonly lockFile: string
  /** Absent if the lock is one file. */
  readonly storage?: LockStorage<Lock>
  /**
   * Adds facts that earlier runs stored in the store. Absent if the lock's text states the size and the SHA-256 of every
   * file.
   */
  recall?(lock: Lock, store: Store): Lock
  /** The lock of a project that has no lock file. */
  readonly empty: Lock
  /** Reads the text of a lock file. `where` is its path, for messages. Throws UserError. */
  parse(text: string, where: string): Lock
  text(lock: Lock): string
  /**
   * The time of a lock, in seconds since 1970. A lock with newer packages has a larger time. The time of the newest
   * lock orders images.
   */
  time(lock: Lock): number
  /** The name of a request in messages and in the lock: `base:arm64`. */
  nameOf(request: Request): string
  /** The names of the requests that have an entry in the lock. */
  names(lock: Lock): readonly string[]
  /** The locked files of a request; undefined if the lock has no entry for the request as it is now. */
  locked(lock: Lock, request: Request): readonly File[] | undefined
  /** Every file of the lock, without duplicates. */
  files(lock: Lock): readonly File[]
  /** The package sets of the lock that hangar can unpack as programs for derivations. */
  toolchains(lock: Lock): readonly Toolchain[]
}

/**
 * A source of software, such as Debian's archives. It resolves names to exact files, fetches the files and describes
 * them.
 */
export interface Source<
  Request extends SourceRequest = SourceRequest,
  Lock = unknown,
  File extends LockedFile = LockedFile,
> extends LockFormat<Request, Lock, File> {
  /**
   * Resolves requests to exact versions and digests. Returns `current` itself if the mode requires no change. Keeps
   * entries of `current` that are not in `wanted`, except in mode `update`.
   */
  resolve(wanted: readonly Request[], current: Lock, mode: LockMode, context: ResolveContext): Promise<Lock>
  /**
   * Adds the facts that `recall` did not find, for the wanted requests that have an entry: fetches their files. Never
   * changes the lock's text, so that a frozen lock allows it.
   */
  learn?(wanted: readonly Request[], lock: Lock, context: FetchContext): Promise<Lock>
  /**
   * Fetches the files that the store lacks from several servers, verifies their digests, and continues broken
   * transfers. Throws GoneError if no server has a file any more, and UserError for other failures.
   */
  fetch(files: readonly File[], context: FetchContext): Promise<void>
  /**
   * The files as inputs of a derivation, by their paths below `/in`. The step of a layer unpacks them without a
   * network.
   */
  inputs(files: readonly File[]): Readonly<Record<string, Input>>
  /** Describes a file for the SBOM and for the list of changes. */
  describe(file: File): PackageIdentity
  /** Compares two versions; negative if `a` is older than `b`. */
  compareVersions(a: string, b: string): number
}

/** A source without settings. `open` reads the settings, and throws UserError if a setting is invalid. */
export interface SourceDefinition<
  Request extends SourceRequest = SourceRequest,
  Lock = unknown,
  File extends LockedFile = LockedFile,
> extends LockFormat<Request, Lock, File> {
  open(settings: SourceSettings): Promise<Source<Request, Lock, File>>
}

export interface SourceSettings {
  readonly env: NodeJS.ProcessEnv
  /** The project's directory. */
  readonly project: string
  /** Whether a source may fetch what `learn` needs. Default: online. */
  readonly network?: 'online' | 'offline'
}

export interface PackageIdentity {
  readonly name: string
  readonly version: string
  /** The architecture of the file; empty for a file for every architecture. */
  readonly architecture: string
  /** The package URL (purl), which identifies the package in the SBOM. */
  readonly purl: string
}

export interface FetchContext {
  readonly store: Store
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

export interface ResolveContext extends FetchContext {
  readonly now: Date
  readonly fetch: Fetch
  /** The runner for programs that resolve requests, such as apt. */
  readonly runner: Runner
  /** The package set with the programs that derivations run. */
  readonly toolchain: ArchitectureSet
  /** The locked files of a request of a source that is earlier in the registry. */
  readonly locked: (request: SourceRequest) => readonly LockedFile[] | undefined
}

/** Which entries of a lock may change. */
export type LockMode =
  /** Adds only entries for requests that have none. */
  | { readonly kind: 'missing' }
  /** All entries may change. Removes entries for requests that no host needs any more. */
  | { readonly kind: 'update' }
  /** Adds missing entries, and updates entries with files that no server has any more. */
  | { readonly kind: 'gone'; readonly gone: readonly GoneFile[] }

/** A file without `sha256` was gone before hangar could find its SHA-256 out. */
export type GoneFile = Pick<LockedFile, 'source' | 'path'> & Partial<Pick<LockedFile, 'sha256'>>

/** The error for locked files that no server has any more. The user needs a newer lock. */
export class GoneError extends UserError {
  readonly gone: readonly GoneFile[]

  constructor(message: string, gone: readonly GoneFile[]) {
    super('fetch', message, { hint: 'lock newer versions: npm run lock -- --update' })
    this.gone = gone
  }
}
