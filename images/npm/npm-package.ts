import type { LockedFile } from '../locked-file.ts'
import type { ArchitectureSet } from '../package-set.ts'
import type { Integrity } from './integrity.ts'

/** The directory below which hangar looks for folders with a `package.json`. */
export const SERVICE_FOLDERS = 'overlays/services'

/** The npm packages of a service, as the `package.json` in its folder names them. */
export interface NpmRequest {
  readonly source: 'npm'
  /** The path of the folder: `overlays/services/node-red`. */
  readonly folder: string
  /** The Debian packages of the same container, with Node.js. */
  readonly beside: ArchitectureSet
}

/** A tarball of a locked npm package. */
export interface NpmFile extends LockedFile {
  readonly source: 'npm'
  readonly integrity: Integrity
}

/** A locked npm package, with its places in one container. */
export interface NpmPackage extends NpmFile {
  /** The directories that get its files, below the service's directory. */
  readonly locations: readonly string[]
  /** The commands: name -> path in the package. */
  readonly bin: Readonly<Record<string, string>>
  readonly license: string | undefined
  /** The range of Node.js versions that the package states. */
  readonly node: string | undefined
  /** Whether the service's own `package.json` names the package, or only other packages do. */
  readonly use: 'direct' | 'indirect'
  /** Packages inside the tarball. They have no tarball of their own. */
  readonly bundled: readonly BundledPackage[]
}

export interface BundledPackage {
  readonly package: string
  readonly version: string
  readonly license: string | undefined
}

/** The directory of a service's npm packages in its container. */
export const NPM_DIRECTORY = '/app'

/** The prefix of the paths of npm packages in a container. */
export const NPM_MODULES = `${NPM_DIRECTORY}/node_modules/`

/** A package that a container's step unpacks. */
export interface Unpacked {
  /** The path of the tarball below `/in`. */
  readonly file: string
  readonly locations: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly use: NpmPackage['use']
}
