import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { run } from '../../lib/subprocess.ts'
import { emptyIfAbsent } from '../../lib/writable-directory.ts'
import type { Store } from '../store/store.ts'
import type { Verified } from '../store/verify.ts'
import { LEFT_OUT, PACKAGES, toolchainIn } from './toolchain.ts'

/** Compares every toolchain with its packages, and removes toolchains that differ. */
export async function verifyToolchains(store: Store, reporter: Reporter, signal?: AbortSignal): Promise<Verified> {
  const parent = join(store.root, 'toolchains')
  const names = (await readdir(parent).catch(emptyIfAbsent)).filter((name) => toolchainIn(name) !== undefined).sort()
  const damaged: string[] = []
  for (const name of names) {
    const step = reporter.step(`verify toolchain '${name}'`)
    const problem = await problemOf(join(parent, name), store, signal)
    step.done('built')
    if (problem === undefined) continue
    damaged.push(`${name}: ${problem}`)
    await remove(join(parent, name), store)
  }
  return { whole: names.length - damaged.length, damaged }
}

/** The first difference between a toolchain and its packages; undefined if they are equal. */
async function problemOf(directory: string, store: Store, signal?: AbortSignal): Promise<string | undefined> {
  const text = await readFile(`${directory}${PACKAGES}`, 'utf8').catch(() => '')
  const packages = text.trimEnd().split('\n').filter(isDigest)
  if (packages.length === 0) return 'the list of its packages is missing'
  if (!packages.every((each) => store.has(each))) return 'the store lacks one of its packages'
  const compared = await run('xargs', ['-0', '-P', '2', '-n', '8', 'sh', '-c', COMPARE, 'compare'], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', ROOT: directory },
    input: packages.map((each) => store.path(each)).join('\0'),
    signal,
  })
  const [first] = compared.output.split('\n').filter((line) => line !== '' && !IS_FINE.test(line))
  return first
}

// Does not compare the times of directories: packages share directories, and the last unpacked package sets the time.
const IS_FINE = /: Mod time differs$/

const COMPARE = `for deb; do dpkg-deb --fsys-tarfile "$deb" | tar --compare --numeric-owner -C "$ROOT" ${LEFT_OUT}; done; true`

/** Moves the whole directory away before it deletes the files, so that no build finds an incomplete toolchain. */
async function remove(directory: string, store: Store): Promise<void> {
  await store.scratch('damaged-toolchain', async (scratch) => {
    await rename(directory, join(scratch, 'root'))
    await rm(`${directory}${PACKAGES}`, { force: true })
  })
}
