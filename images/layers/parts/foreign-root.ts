import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import { type Deb, unpackDebs } from './deb.ts'
import { writeDatabase } from './dpkg-database.ts'
import { runScripts } from './script-changes.ts'
import { requireSameScripts } from './script-differences.ts'
import { transplant } from './transplant.ts'

/** Where a foreign root's inputs are, and between which architectures it is made. */
export interface ForeignRoot {
  /** Directory of the packages that are configured, of the builder's architecture. */
  readonly native: string
  /** Directory of the same packages of the target's architecture, which are unpacked. */
  readonly target: string
  /** Directory of passwd, group, shadow and gshadow. */
  readonly accounts: string
  readonly builder: Architecture
  readonly targetArchitecture: Architecture
}

const NATIVE_ROOT = '/build/native'

/**
 * Makes a configured root of another architecture without emulation: the native packages' scripts run, and the whole
 * difference that they make is laid over the target's unpacked packages, which are returned.
 */
export async function makeForeignRoot(
  root: string,
  { native, target, accounts, builder, targetArchitecture }: ForeignRoot,
): Promise<readonly Deb[]> {
  const nativeDebs = await unpackDebs(debsIn(native), NATIVE_ROOT)
  writeDatabase(NATIVE_ROOT, nativeDebs, 'unpacked', builder)
  mkdirSync(root)
  // Scripts run one after the other: the target's packages are unpacked beside them.
  const [changes, targetDebs] = await Promise.all([
    runScripts(NATIVE_ROOT, nativeDebs, { accounts, builder, target: targetArchitecture }),
    unpackDebs(debsIn(target), root, 1),
  ])
  requireSameScripts(nativeDebs, targetDebs, builder, targetArchitecture)
  writeDatabase(root, targetDebs, 'installed', targetArchitecture)
  await transplant(changes, NATIVE_ROOT, root)
  rmSync(NATIVE_ROOT, { recursive: true })
  return targetDebs
}

function debsIn(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => `${directory}/${name}`)
}
