import type { LockedPackage } from '../lock.ts'

/** Fields of a package's control file, unparsed, and its copyright file. */
export interface PackageStatement extends Pick<LockedPackage, 'package' | 'version' | 'architecture'> {
  readonly source?: string | undefined
  readonly builtUsing?: string | undefined
  readonly staticBuiltUsing?: string | undefined
  readonly homepage?: string | undefined
  readonly copyright?: string | undefined
}

/** Identifies a package without the digest of its file. */
export function statementKey(item: Pick<LockedPackage, 'package' | 'version' | 'architecture'>): string {
  return `${item.package} ${item.version} ${item.architecture}`
}

/** The output file with the statements of all packages that a step unpacks. */
export const STATEMENTS_FILE = 'packages.json'
