import type { Input } from '../derivation.ts'
import { tarballInput } from './name.ts'
import type { NpmFile, NpmPackage, Unpacked } from './npm-package.ts'

/** Tarballs as inputs below `/in/npm`. */
export function npmInputs(packages: readonly NpmFile[]): Record<string, Input> {
  return Object.fromEntries(
    packages.map(({ source, package: name, version, path, size, sha256, integrity }) => {
      const locked: NpmFile = { source, package: name, version, path, size, sha256, integrity }
      return [tarballInput(name, version), { locked }]
    }),
  )
}

/** What the step of a container unpacks: `/in/npm.json`. */
export function unpackedPackages(packages: readonly NpmPackage[]): Unpacked[] {
  return packages.map(({ package: name, version, locations, bin, use }) => {
    return { file: tarballInput(name, version), locations, bin, use }
  })
}
