import { mkdirSync, rmSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import { type Deb, unpackDebs } from '../parts/deb.ts'
import { inputFiles } from '../parts/inputs.ts'
import { writeDatabase } from './dpkg-database.ts'
import { requirePlainScripts } from './random-scripts.ts'
import { runScripts } from './script-changes.ts'
import { requireSameScripts } from './script-differences.ts'
import { transplant } from './transplant.ts'

const NATIVE_ROOT = '/build/native'

/**
 * Builds a configured root for another architecture without emulation. Runs the maintainer scripts of the builder's
 * packages (`/in/native/debs`), and copies every change that they make to the unpacked packages of the target
 * (`/in/target/debs`). Users and groups come from `/in/accounts`. Returns the target's packages.
 */
export async function makeForeignRoot(
  root: string,
  builder: Architecture,
  target: Architecture,
): Promise<readonly Deb[]> {
  const nativeDebs = await unpackDebs(inputFiles('native/debs'), NATIVE_ROOT)
  requirePlainScripts(nativeDebs)
  writeDatabase(NATIVE_ROOT, nativeDebs, 'unpacked', builder)
  mkdirSync(root)
  // The scripts run one after the other and use one processor, so the other one unpacks the target's packages.
  const [changes, targetDebs] = await Promise.all([
    runScripts(NATIVE_ROOT, nativeDebs, { accounts: '/in/accounts', builder, target }),
    unpackDebs(inputFiles('target/debs'), root, 1),
  ])
  requireSameScripts(nativeDebs, targetDebs, builder, target)
  writeDatabase(root, targetDebs, 'installed', target)
  await transplant(changes, NATIVE_ROOT, root)
  rmSync(NATIVE_ROOT, { recursive: true })
  return targetDebs
}
