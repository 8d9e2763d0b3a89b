import { basename } from 'node:path'
import type { Architecture } from '../../architecture.ts'
import { NPM_MODULES } from '../../npm/npm-package.ts'
import { Refusal } from '../../refusal.ts'
import type { ContainerProgram } from '../container-program.ts'
import { type Deb, packageName } from '../parts/deb.ts'
import { type MissingPart, missingParts } from './missing-parts.ts'

/** Finds the package that ships a file: by its path, or by its name if the name has no '/'. */
export type FindPackage = (name: string) => string | undefined

/** Refuses an image that lacks a part of a program that one of its containers starts. */
export function requirePrograms(
  root: string,
  architecture: Architecture,
  programs: readonly ContainerProgram[],
  findPackage: FindPackage,
): void {
  const missing = programs.flatMap((each) => missingParts(root, architecture, each))
  const lines = [...new Set(missing.map((each) => `\n  ${describe(each, findPackage)}`))]
  if (lines.length === 0) return
  const packages = [
    ...new Set(missing.flatMap(({ name, problem }) => (problem === 'missing' ? (findPackage(name) ?? []) : []))),
  ]
  throw new Refusal('host', `the image cannot run its programs:${lines.join('')}`, hintFor(missing, packages))
}

function hintFor(missing: readonly MissingPart[], packages: readonly string[]): string {
  if (packages.length > 0)
    return `add to 'packages' of the image in overlays/services: ${packages.map((name) => `'${name}'`).join(', ')}; then lock them: npm run lock`
  const other = missing.every(({ name }) => name.startsWith(NPM_MODULES))
    ? "add the npm package that has the file to 'dependencies' in package.json of the image's folder; then lock it: npm run lock"
    : "add the package that has the file to 'packages' of the image: https://packages.debian.org/file:PATH"
  return `correct the command of the container in overlays/services, or ${other}`
}

function describe({ name, neededBy, problem }: MissingPart, findPackage: FindPackage): string {
  const known = problem === 'missing' ? findPackage(name) : undefined
  return `${neededBy} needs '${name}', which is ${problem}${known === undefined ? '' : ` (package '${known}' has it)`}`
}

/**
 * Looks files up in packages of the builder's architecture. `translate` converts a path of the builder into that of the
 * target.
 */
export function packageFinder(debs: readonly Deb[], translate: (path: string) => string): FindPackage {
  const byPath = new Map<string, string>()
  const byName = new Map<string, string>()
  for (const deb of debs) {
    for (const path of deb.files.map((each) => merged(translate(each)))) {
      byPath.set(path, byPath.get(path) ?? packageName(deb))
      byName.set(basename(path), byName.get(basename(path)) ?? packageName(deb))
    }
  }
  return (name) => (name.includes('/') ? byPath.get(merged(name)) : byName.get(name))
}

/** The path with the links of the merged /usr followed: packages ship files under both names. */
function merged(path: string): string {
  return path.replace(/^\/(bin|sbin|lib)\//, '/usr/$1/')
}
