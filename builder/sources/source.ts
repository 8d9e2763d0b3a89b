import { UserError } from '../../errors.ts'
import type { Input, Toolchain } from '../../images/derivation.ts'
import type { LockedFile, SourceRequest } from '../../images/locked-file.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import type { Reporter } from '../../lib/reporter.ts'
import type { Runner } from '../runners/runner.ts'
import type { Store } from '../store/store.ts'
import type { Fetch } from '../toolchain/toolchain.ts'

/** The lock file of a source. Every function is pure. */
export interface LockFormat<
  Request extends SourceRequest = SourceRequest,
  Lock = unknown,
  File extends LockedFile = LockedFile,
> {
  /** The name of the source: the tag of its requests and locked files. */
  readonly name: string
  /** The path of the lock file, below the project's directory. */
  readonly lockFile: string
  /** The lock of a project that has no lock file. */
  readonly empty: Lock
  /** Reads the text of a lock file. `where` is its path, for messages. Throws UserError. */
  parse(text: string, where: string): Lock
  text(lock: Lock): string
  /** Seconds since 1970. A lock that resolved newer packages has a larger time; the newest time orders images. */
  time(lock: Lock): number
  /** How messages and the lock name a request: `base:arm64`. */
  nameOf(request: Request): string
  /** The names of the requests that the lock answers. */
  names(lock: Lock): readonly string[]
  /** The files for a request, or undefined when the lock has no answer to the request in its present form. */
  locked(lock: Lock, request: Request): readonly File[] | undefined
  /** Every file of the lock, each once. */
  files(lock: Lock): readonly File[]
  /** The sets of the lock that can be unpacked as programs for derivations. */
  toolchains(lock: Lock): readonly Toolchain[]
}

/** A place that software comes from: resolves names to exact files, fetches them, and knows what they are. */
export interface Source<
  Request extends SourceRequest = SourceRequest,
  Lock = unknown,
  File extends LockedFile = LockedFile,
> extends LockFormat<Request, Lock, File> {
  /**
   * Resolves requests to exact versions and digests. Returns `current` itself when the mode asks for no change. Requests
   * of `current` that are not wanted stay, except in mode `update`.
   */
  resolve(wanted: readonly Request[], current: Lock, mode: LockMode, context: ResolveContext): Promise<Lock>
  /**
   * Brings files into the store by their digests, from several servers, and continues transfers that broke off. Files that
   * the store has are not fetched. Throws GoneError when no server has a file any more, and UserError for other failures.
   */
  fetch(files: readonly File[], context: FetchContext): Promise<void>
  /** Where a derivation finds the files, below `/in`. The step of a layer unpacks them there, without network. */
  inputs(files: readonly File[]): Readonly<Record<string, Input>>
  /** What a file is, for the SBOM and for the list of changes. */
  describe(file: File): PackageIdentity
  /** Negative when version `a` is older than `b`. */
  compareVersions(a: string, b: string): number
}

/** A source before its settings are read. `open` throws UserError when a setting is invalid. */
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
}

export interface PackageIdentity {
  readonly name: string
  readonly version: string
  /** Empty when the file is for every architecture. */
  readonly architecture: string
  /** Package URL, as the SBOM names it. */
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
  /** Runs programs that resolve, such as apt. */
  readonly runner: Runner
  /** The set with the programs that derivations run. */
  readonly toolchain: ArchitectureSet
}

/** Which entries of a lock may change. */
export type LockMode =
  /** Only requests that the lock does not answer. */
  | { readonly kind: 'missing' }
  /** Everything. Requests that are not wanted any more are dropped. */
  | { readonly kind: 'update' }
  /** Requests that the lock does not answer, and those with files that no server has any more. */
  | { readonly kind: 'gone'; readonly gone: readonly GoneFile[] }

export type GoneFile = Pick<LockedFile, 'source' | 'path' | 'sha256'>

/** No server has these files any more. Only a newer lock helps. */
export class GoneError extends UserError {
  readonly gone: readonly GoneFile[]

  constructor(message: string, gone: readonly GoneFile[]) {
    super('fetch', message, { hint: 'lock newer versions: npm run lock -- --update' })
    this.gone = gone
  }
}
