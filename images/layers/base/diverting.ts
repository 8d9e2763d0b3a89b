import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { controlText, type Deb, databaseName, packageName, ShippedTwice, unpackDebs } from '../parts/deb.ts'
import { configure } from './configure.ts'
import { isAccountFile, runScripts, type ScriptSetting } from './script-changes.ts'
import { DIVERSIONS } from './script-differences.ts'
import { transplant } from './transplant.ts'

/** A package that is not unpacked yet, because it diverts a file of another one. */
export interface Diverting {
  readonly file: string
  readonly deb: Deb
}

/**
 * Unpacks all packages, except those that divert a file of another one: their `preinst` moves that file away before dpkg
 * unpacks their own file with the same path. Such packages are rare, so it first unpacks all packages at once.
 */
export async function unpackBeforeDiversions(
  files: readonly string[],
  root: string,
): Promise<{ readonly debs: readonly Deb[]; readonly diverting: readonly Diverting[] }> {
  try {
    return { debs: await unpackDebs(files, root), diverting: [] }
  } catch (error) {
    if (!(error instanceof ShippedTwice)) throw error
    const names = divertingPackages(error)
    if (names.size === 0) throw error
    const all = files.map((file, index): Diverting => ({ file, deb: error.debs[index] as Deb }))
    const diverting = all.filter(({ deb }) => names.has(packageName(deb)))
    rmSync(root, { recursive: true })
    const others = all.filter((each) => !diverting.includes(each)).map(({ file }) => file)
    return { debs: await unpackDebs(others, root), diverting }
  }
}

/** The packages whose `preinst` diverts, of those that ship the same file as another package. */
function divertingPackages({ debs, conflicts }: Pick<ShippedTwice, 'debs' | 'conflicts'>): Set<string> {
  const involved = new Set(conflicts.flatMap(({ packages }) => packages))
  const diverts = (deb: Deb) => /\bdpkg-divert\b/.test(controlText(deb, 'preinst'))
  return new Set(debs.filter((deb) => involved.has(packageName(deb)) && diverts(deb)).map(packageName))
}

/** Runs each `preinst` of the diverting packages in `native`, and makes the same changes in `target`. */
export async function runDiversions(
  diverting: readonly Deb[],
  native: string,
  target: string,
  setting: ScriptSetting,
): Promise<void> {
  if (diverting.length === 0) return
  writePreinst(native, diverting)
  // dpkg's list of diversions and the accounts are complete only after the other scripts, and are carried then.
  const leavesBehind = (path: string) => path === DIVERSIONS || isAccountFile(path) || setting.leavesBehind(path)
  const scripts = { preinst: diverting, configure: [] }
  await transplant(await runScripts(native, scripts, { ...setting, leavesBehind }), native, target)
}

/** Runs each `preinst` of packages that divert in the builder's root only. */
export async function runDiversionsOfHelpers(diverting: readonly Deb[], native: string): Promise<void> {
  if (diverting.length === 0) return
  writePreinst(native, diverting)
  await configure(native, { preinst: diverting, configure: [] })
}

/** Writes only the scripts to the database: a package in it would own the files that it is about to divert. */
function writePreinst(native: string, debs: readonly Deb[]): void {
  const info = `${native}/var/lib/dpkg/info`
  mkdirSync(info, { recursive: true })
  for (const deb of debs)
    writeFileSync(`${info}/${databaseName(deb)}.preinst`, deb.control.get('preinst') ?? '', { mode: 0o755 })
}
