import { run } from '../lib/subprocess.ts'

/**
 * Settings that make git read-only: git runs no hook or monitor of the repository, and creates no files that belong to
 * root.
 */
const READ_ONLY = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']

/**
 * The project's git revision, with `-dirty` if tracked files have changed or untracked files exist. Null if git is
 * missing, the repository has no commit, or git does not trust the repository.
 */
export async function projectRevision(project: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const status = ['status', '--porcelain=v2', '--branch', '--untracked-files=normal']
  const { exitCode, output } = await run('git', ['-C', project, ...READ_ONLY, ...status], { env: gitEnvironment(env) })
  const revision = /^# branch\.oid ([0-9a-f]{40})$/m.exec(output)?.[1]
  if (exitCode !== 0 || revision === undefined) return null
  // One line for each changed, unmerged or untracked path (git-status(1)).
  return /^[12u?] /m.test(output) ? `${revision}-dirty` : revision
}

/** With SUDO_UID, git as root also trusts a checkout that belongs to the user who ran sudo. */
function gitEnvironment({ PATH, HOME, SUDO_UID }: NodeJS.ProcessEnv): Record<string, string> {
  const own = { PATH: PATH ?? '/usr/bin:/bin', HOME: HOME ?? '/' }
  return SUDO_UID === undefined ? own : { ...own, SUDO_UID }
}
