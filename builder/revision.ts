import { run } from './process.ts'

/** The project's git revision, `-dirty` where files have changed since; null without git or a repository. */
export async function projectRevision(project: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { exitCode, output } = await run(
    'git',
    ['-C', project, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'],
    { env: { PATH: env.PATH ?? '/usr/bin:/bin', HOME: env.HOME ?? '/' } },
  )
  const revision = output.trim()
  return exitCode === 0 && /^[0-9a-f]{40}(-dirty)?$/.test(revision) ? revision : null
}
