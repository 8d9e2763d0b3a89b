import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import { run } from '../../../lib/subprocess.ts'
import type { FetchContext } from '../source.ts'
import { npmFailure } from './npm-failure.ts'

export interface NpmRun {
  /** The text of `package.json`. */
  readonly manifest: string
  /** The text of the lock to start from. Without it, npm resolves every package again. */
  readonly lock: string | undefined
  /** The path of `package.json`, for messages. */
  readonly where: string
}

/**
 * Flags that make the lock independent of this machine. Without addresses, a lock names no server; without the engine
 * check, the version of Node.js that runs npm here does not matter.
 */
const FLAGS = [
  '--package-lock-only',
  '--ignore-scripts',
  '--lockfile-version=3',
  '--omit-lockfile-registry-resolved',
  '--install-strategy=hoisted',
  '--include=optional',
  '--engine-strict=false',
  '--force=false',
  '--dry-run=false',
  '--audit=false',
  '--fund=false',
  '--update-notifier=false',
  '--progress=false',
  '--loglevel=error',
  '--json',
]

/** Lets npm resolve the packages of a `package.json`. Returns the text of `package-lock.json`. */
export async function runNpm(
  { manifest, lock, where }: NpmRun,
  { env, project }: { readonly env: NodeJS.ProcessEnv; readonly project: string },
  { store, signal }: FetchContext,
): Promise<string> {
  return store.scratch('npm', async (directory) => {
    await writeFile(join(directory, 'package.json'), manifest)
    if (lock !== undefined) await writeFile(join(directory, 'package-lock.json'), lock)
    // npm reads the settings of the directory that it works in. A link leaves tokens where they are.
    await symlink(join(project, '.npmrc'), join(directory, '.npmrc'))
    const variables = Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    )
    const args = ['install', `--prefix=${directory}`, ...FLAGS]
    const { exitCode, output } = await run('npm', args, { cwd: directory, env: variables, signal })
    if (exitCode !== 0) throw npmFailure(output, where)
    const text = await readFile(join(directory, 'package-lock.json'), 'utf8').catch(() => undefined)
    if (text !== undefined) return text
    throw new UserError('lock', `npm wrote no package-lock.json for '${where}'`, {
      hint: "check npm's setting 'package-lock': npm config get package-lock",
    })
  })
}
