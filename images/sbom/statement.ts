import type { LockedPackage } from '../lock.ts'

/** What a package says of itself: fields of its control file as they stand, and its copyright file. */
export interface PackageStatement extends Pick<LockedPackage, 'package' | 'version' | 'architecture'> {
  readonly source?: string | undefined
  readonly builtUsing?: string | undefined
  readonly staticBuiltUsing?: string | undefined
  readonly homepage?: string | undefined
  readonly copyright?: string | undefined
}

/** What a package is known by, where no digest of its file is. */
export function statementKey(item: Pick<LockedPackage, 'package' | 'version' | 'architecture'>): string {
  return `${item.package} ${item.version} ${item.architecture}`
}

/** Where a step that unpacks packages leaves their statements, as a list. */
export const STATEMENTS_FILE = 'packages.json'
