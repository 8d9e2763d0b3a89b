import { run } from '../lib/subprocess.ts'

/** Only looks: no program that a repository names as its hook or monitor runs, and nothing of root's is left in it. */
const LOOKING = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']

/**
 * The project's git revision, `-dirty` where files have changed or come since, ignored ones aside; null without git or a
 * commit, and where git does not trust the repository.
 */
export async function projectRevision(project: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const status = ['status', '--porcelain=v2', '--branch', '--untracked-files=normal']
  const { exitCode, output } = await run('git', ['-C', project, ...LOOKING, ...status], { env: environment(env) })
  const revision = /^# branch\.oid ([0-9a-f]{40})$/m.exec(output)?.[1]
  if (exitCode !== 0 || revision === undefined) return null
  // One line for each path that is not as the revision has it (git-status(1)).
  return /^[12u?] /m.test(output) ? `${revision}-dirty` : revision
}

/** Under sudo git takes the checkout of whoever typed it for root's own, and still nobody else's. */
function environment({ PATH, HOME, SUDO_UID }: NodeJS.ProcessEnv): Record<string, string> {
  const own = { PATH: PATH ?? '/usr/bin:/bin', HOME: HOME ?? '/' }
  return SUDO_UID === undefined ? own : { ...own, SUDO_UID }
}
