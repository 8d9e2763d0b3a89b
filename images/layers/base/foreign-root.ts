import { mkdirSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import type { Architecture } from '../../architecture.ts'
import { type Deb, packageName, unpackDebs } from '../parts/deb.ts'
import { inputFiles } from '../parts/inputs.ts'
import { walk } from '../parts/walk.ts'
import type { Purpose } from '../purpose.ts'
import { isLeftBehind, isLeftBehindByContainers, type LeavesBehind } from './carry.ts'
import { configure, type Scripts } from './configure.ts'
import { runDiversions, runDiversionsOfHelpers, unpackBeforeDiversions } from './diverting.ts'
import { writeDatabase } from './dpkg-database.ts'
import { requirePlainScripts } from './random-scripts.ts'
import { runScripts, type ScriptSetting, writeAccounts } from './script-changes.ts'
import { requireSameScripts } from './script-differences.ts'
import { transplant } from './transplant.ts'

const NATIVE_ROOT = '/build/native'
const ACCOUNTS = '/in/accounts'

export interface ForeignRoot {
  readonly builder: Architecture
  readonly target: Architecture
  readonly purpose: Purpose
  /** Packages whose scripts do not run. */
  readonly withoutScripts?: readonly string[]
}

export interface FinishedRoot {
  /** The target's packages. */
  readonly debs: readonly Deb[]
  /** The builder's packages, with the helpers. */
  readonly native: readonly Deb[]
}

/**
 * Builds a configured root for another architecture without emulation. Runs the maintainer scripts of the builder's
 * packages (`/in/native/debs`), and copies every change that they make to the unpacked packages of the target
 * (`/in/target/debs`). Packages that only the builder has are helpers: the scripts of the others call them, and their own
 * changes are not copied. Users and groups come from `/in/accounts`.
 */
export async function makeForeignRoot(root: string, given: ForeignRoot): Promise<FinishedRoot> {
  const { builder, target, purpose, withoutScripts = [] } = given
  const setting = { accounts: ACCOUNTS, builder, target, purpose, leavesBehind: LEAVES_BEHIND[purpose] }
  mkdirSync(root, { recursive: true })
  const { first, late, unpackTarget } = await unpackNative(root, setting, withoutScripts)
  const { own, helpers } = scriptsOf([...first, ...late], withoutScripts)
  const isLate = (deb: Deb) => late.includes(deb)
  const shipped = walk(NATIVE_ROOT)
  if (helpers.length > 0)
    await configure(NATIVE_ROOT, { preinst: helpers.filter((deb) => !isLate(deb)), configure: helpers })
  const scripts: Scripts = { preinst: own.filter((deb) => !isLate(deb)), configure: 'pending' }
  // The scripts run one after the other and use one processor, so the other one unpacks the target's packages.
  const [changes, debs] = await Promise.all([runScripts(NATIVE_ROOT, scripts, { ...setting, shipped }), unpackTarget()])
  requireSameScripts(own, debs, builder, target, purpose)
  if (purpose === 'host') writeDatabase(root, debs, 'installed', target)
  await transplant(changes, NATIVE_ROOT, root)
  rmSync(NATIVE_ROOT, { recursive: true })
  return { debs, native: [...first, ...late] }
}

const LEAVES_BEHIND: Readonly<Record<Purpose, LeavesBehind>> = {
  host: isLeftBehind,
  container: isLeftBehindByContainers,
}

/** The builder's packages, unpacked. */
interface Native {
  readonly first: readonly Deb[]
  /** Packages that divert files of others. Their `preinst` has already run. */
  readonly late: readonly Deb[]
  readonly unpackTarget: () => Promise<readonly Deb[]>
}

async function unpackNative(root: string, setting: ScriptSetting, withoutScripts: readonly string[]): Promise<Native> {
  const stateOf = (deb: Deb) => (withoutScripts.includes(packageName(deb)) ? 'installed' : 'unpacked')
  const files = inputFiles('target/debs')
  const { debs: first, diverting } = await unpackBeforeDiversions(inputFiles('native/debs'), NATIVE_ROOT)
  const divertingDebs = diverting.map(({ deb }) => deb)
  // Helpers may make keys: hangar carries nothing of theirs, and refuses a key that another script copies.
  requirePlainScripts(scriptsOf([...first, ...divertingDebs], withoutScripts).own, setting.purpose)
  writeDatabase(NATIVE_ROOT, first, stateOf, setting.builder)
  writeAccounts(NATIVE_ROOT, setting.accounts)
  if (diverting.length === 0) return { first, late: [], unpackTarget: () => unpackDebs(files, root, { workers: 1 }) }
  const names = new Set(divertingDebs.map(packageName))
  const lateFiles = files.filter((file) => names.has(nameOf(file)))
  const firstFiles = files.filter((file) => !lateFiles.includes(file))
  const targetFirst = await unpackDebs(firstFiles, root, { workers: 1 })
  const { own, helpers } = byTarget(divertingDebs)
  await runDiversionsOfHelpers(helpers, NATIVE_ROOT)
  await runDiversions(own, NATIVE_ROOT, root, setting)
  const nativeFiles = diverting.map(({ file }) => file)
  const late = await unpackDebs(nativeFiles, NATIVE_ROOT, { over: 'packages' })
  const targetLate = await unpackDebs(lateFiles, root, { over: 'packages' })
  writeDatabase(NATIVE_ROOT, [...first, ...late], stateOf, setting.builder)
  return { first, late, unpackTarget: async () => [...targetFirst, ...targetLate] }
}

/** The packages whose scripts run. */
function scriptsOf(debs: readonly Deb[], withoutScripts: readonly string[]): ReturnType<typeof byTarget> {
  return byTarget(debs.filter((deb) => !withoutScripts.includes(packageName(deb))))
}

/** Separates the packages that the target has too from the helpers. */
function byTarget(debs: readonly Deb[]): { readonly own: readonly Deb[]; readonly helpers: readonly Deb[] } {
  const names = new Set(inputFiles('target/debs').map(nameOf))
  return {
    own: debs.filter((deb) => names.has(packageName(deb))),
    helpers: debs.filter((deb) => !names.has(packageName(deb))),
  }
}

/** The package in a file name of `debs()`: `NAME_ARCHITECTURE.deb`. */
function nameOf(file: string): string {
  return basename(file).split('_')[0] ?? ''
}
