import { UserError } from '../../../errors.ts'
import { canonicalJson } from '../../../images/canonical.ts'
import { type InstallPlan, installPlan } from '../../../images/npm/install-plan.ts'
import type { Integrity } from '../../../images/npm/integrity.ts'
import { currentLock, type FolderPaths, type FolderTexts, lockedPackages } from '../../../images/npm/locked-packages.ts'
import { type NpmPackage, type NpmRequest, SERVICE_FOLDERS } from '../../../images/npm/npm-package.ts'
import type { PackageLock } from '../../../images/npm/package-lock.ts'
import type { TarballFacts } from '../../../images/npm/tarball-facts.ts'
import type { LockFormat } from '../source.ts'
import { readFolders, writeFolders } from './folders.ts'
import { recalledFacts } from './known-facts.ts'

/** The two files of each service's folder, and the facts about tarballs that this machine knows. */
export interface NpmLock {
  readonly folders: Readonly<Record<string, FolderTexts>>
  /** Facts follow from the integrity, so they are never part of the text of a lock. */
  readonly facts: ReadonlyMap<Integrity, TarballFacts>
}

const EMPTY: NpmLock = { folders: {}, facts: new Map() }

/** The format of npm's locks: a `package-lock.json` in the folder of each service that has a `package.json`. */
export const NPM_LOCK: LockFormat<NpmRequest, NpmLock, NpmPackage> = {
  name: 'npm',
  lockFile: `${SERVICE_FOLDERS}/**/package-lock.json`,
  empty: EMPTY,
  storage: {
    async read(project) {
      const folders = await readFolders(project)
      return Object.keys(folders).length === 0 ? EMPTY : { ...EMPTY, folders }
    },
    write: (project, { folders }) => writeFolders(project, folders),
  },
  parse: (text) => ({ ...EMPTY, folders: (JSON.parse(text) as Pick<NpmLock, 'folders'>).folders }),
  text: ({ folders }) => `${canonicalJson({ format: 1, folders } as never)}\n`,
  recall: (lock, store) => ({ ...lock, facts: recalledFacts(store, integritiesIn(lock)) }),
  // npm's format has no time. The host file's `number` orders images that differ in npm packages only.
  time: () => 1,
  nameOf: ({ folder }) => `npm:${folder}`,
  names: (lock) =>
    Object.keys(lock.folders)
      .filter((name) => isReadable(lock, name))
      .map((name) => `npm:${name}`),
  locked: (lock, { folder }) => packagesIn(lock, folder),
  files: (lock) => [...new Map(readablePackages(lock).map((each) => [each.integrity, each])).values()],
  toolchains: () => [],
}

/** The paths of a folder's files, below the project's directory. */
export function pathsOf(folder: string): FolderPaths {
  return { manifest: `${folder}/package.json`, lock: `${folder}/package-lock.json` }
}

const parsed = new WeakMap<FolderTexts, { readonly lock: PackageLock | undefined }>()

/** The texts of a folder's files; undefined if it has no `package.json`. */
export function folderTexts({ folders }: NpmLock, folder: string): FolderTexts | undefined {
  return Object.hasOwn(folders, folder) ? folders[folder] : undefined
}

/** The lock of a folder; undefined if it has none for its present `package.json`. Throws UserError. */
export function folderLock(lock: NpmLock, folder: string): PackageLock | undefined {
  const texts = folderTexts(lock, folder)
  if (texts === undefined) return undefined
  const known = parsed.get(texts) ?? { lock: currentLock(texts, pathsOf(folder)) }
  parsed.set(texts, known)
  return known.lock
}

/** The packages to unpack for a folder; undefined if it has no lock for its present `package.json`. Throws UserError. */
export function folderPlan(lock: NpmLock, folder: string): InstallPlan | undefined {
  const found = folderLock(lock, folder)
  return found && installPlan(found, (integrity) => lock.facts.get(integrity), pathsOf(folder).lock)
}

function packagesIn(lock: NpmLock, folder: string): NpmPackage[] | undefined {
  const found = folderLock(lock, folder)
  if (found === undefined) return undefined
  return lockedPackages(found, (integrity) => lock.facts.get(integrity), pathsOf(folder).lock)
}

/** Every tarball that the locks name, for every platform. */
function integritiesIn(lock: NpmLock): Integrity[] {
  const locks = Object.keys(lock.folders).map((folder) => withoutFault(() => folderLock(lock, folder)))
  const packages = locks.flatMap((each) => [...(each?.packages.values() ?? [])])
  return [...new Set(packages.flatMap(({ integrity }) => integrity ?? []))]
}

function readablePackages(lock: NpmLock): NpmPackage[] {
  return Object.keys(lock.folders).flatMap((folder) => withoutFault(() => packagesIn(lock, folder)) ?? [])
}

function isReadable(lock: NpmLock, folder: string): boolean {
  return withoutFault(() => folderLock(lock, folder)) !== undefined
}

/** A faulty lock of one service must not stop the build of a host without this service. */
function withoutFault<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
