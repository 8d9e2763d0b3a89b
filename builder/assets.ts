import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of this project that go into images unchanged. */
export interface Assets {
  /** The programs of the steps: step name -> one JavaScript file that needs only Debian's node. */
  readonly steps: Readonly<Record<string, string>>
  /**
   * The files below `overlays/device`: path -> text of a script, or of a program source that hangar compiles for the
   * host.
   */
  readonly deviceFiles: Readonly<Record<string, string>>
}

const STEPS = '.mjs'

/** Reads the compiled steps and the given files below `overlays/device`. `project` is the project's directory. */
export function readAssets(project: string, deviceSources: readonly string[]): Assets {
  const directory = join(project, 'overlays/device')
  const texts = deviceSources.map((source) => [source, readFileSync(join(directory, source), 'utf8')] as const)
  return { steps: readSteps(project), deviceFiles: Object.fromEntries(texts) }
}

/** The step programs that `npm ci` compiled; they run in the sandbox. */
export function readSteps(project: string): Record<string, string> {
  const directory = join(project, 'dist/steps')
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(STEPS))
    .sort()
  return Object.fromEntries(
    names.map((name) => [name.slice(0, -STEPS.length), readFileSync(join(directory, name), 'utf8')]),
  )
}
