import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Enters the directory where the user typed the command, so that relative paths mean what the user sees. `npm run` starts
 * programs in the project's directory, and names the user's directory in INIT_CWD.
 */
export function enterTypedDirectory(env: NodeJS.ProcessEnv, project: string): void {
  const directory = typedDirectory(env, project)
  if (directory !== undefined) process.chdir(directory)
}

/** The directory to enter; undefined when the process is there already. */
export function typedDirectory(env: NodeJS.ProcessEnv, project: string, current = process.cwd): string | undefined {
  const { INIT_CWD: typed, npm_package_json: description } = env
  if (!typed || real(current()) !== real(project)) return undefined
  // A script of another project may start hangar: INIT_CWD then belongs to the other script.
  if (description && real(dirname(description)) !== real(project)) return undefined
  return real(typed) === real(project) ? undefined : typed
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
