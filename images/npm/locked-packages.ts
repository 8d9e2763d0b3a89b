import { type FactsOf, type InstallPlan, installPlan, type Tarball } from './install-plan.ts'
import type { Integrity } from './integrity.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { tarballPath } from './name.ts'
import type { BundledPackage, NpmPackage } from './npm-package.ts'
import { type PackageLock, parsePackageLock } from './package-lock.ts'

/** The texts of the two files in a service's folder. */
export interface FolderTexts {
  /** `package.json` */
  readonly manifest: string
  /** `package-lock.json`; undefined if there is none. */
  readonly lock: string | undefined
}

/** Where the two files are, for messages. */
export interface FolderPaths {
  readonly manifest: string
  readonly lock: string
}

/** The lock of a folder, parsed. Undefined if there is none, or if it is not for the present `package.json`. */
export function currentLock(texts: FolderTexts, paths: FolderPaths): PackageLock | undefined {
  if (texts.lock === undefined) return undefined
  const lock = parsePackageLock(texts.lock, paths.lock)
  if (lock === undefined) return undefined
  return isFor(parseManifest(texts.manifest, paths.manifest), lock.root) ? lock : undefined
}

function isFor(manifest: Manifest, locked: Manifest): boolean {
  const text = (ranges: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(ranges).sort())
  return (['required', 'optional', 'development'] as const).every((each) => text(manifest[each]) === text(locked[each]))
}

/** The files of a folder's lock; undefined while the facts about a tarball are unknown. */
export function lockedPackages(lock: PackageLock, factsOf: FactsOf, where: string): NpmPackage[] | undefined {
  const plan = installPlan(lock, factsOf, where)
  return plan.unknown.length > 0 ? undefined : packagesOf(plan, lock.root, factsOf)
}

function packagesOf({ unpacked, bundled }: InstallPlan, root: Manifest, factsOf: FactsOf): NpmPackage[] {
  const places = new Map<Integrity, Tarball[]>()
  for (const each of unpacked) places.set(each.integrity, [...(places.get(each.integrity) ?? []), each])
  const direct = new Set(
    [...Object.keys(root.required), ...Object.keys(root.optional)].map((name) => `node_modules/${name}`),
  )
  return [...places].map(([integrity, all]) => {
    const facts = factsOf(integrity)
    const [first] = all
    if (facts === undefined || first === undefined) throw new Error(`no facts about ${integrity}`)
    const { name, version, bin, node } = first
    const locations = all.map(({ location }) => location)
    return {
      ...{ source: 'npm', package: name, version, path: tarballPath(name, version), integrity },
      ...{ size: facts.size, sha256: facts.sha256, locations, bin, node },
      license: first.license ?? facts.license,
      use: locations.some((each) => direct.has(each)) ? 'direct' : 'indirect',
      bundled: once(
        bundled.filter(({ owner }) => locations.includes(owner)).map(({ package: each }) => bundledPackage(each)),
      ),
    }
  })
}

function bundledPackage({ name, version, license }: Pick<Tarball, 'name' | 'version' | 'license'>): BundledPackage {
  return { package: name, version, license }
}

function once(packages: readonly BundledPackage[]): BundledPackage[] {
  return [...new Map(packages.map((each) => [`${each.package}@${each.version}`, each])).values()]
}
