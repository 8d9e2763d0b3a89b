import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { unixTextProblem } from '../images/unix-text.ts'

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

/**
 * Reads the compiled steps and the given files below `overlays/device`. `project` is the project's directory. Throws
 * UserError for a text that no host can run, such as one that Git converted to Windows line endings.
 */
export function readAssets(project: string, deviceSources: readonly string[]): Assets {
  const directory = join(project, 'overlays/device')
  const texts = deviceSources.map((source) => [source, readText(join(directory, source))] as const)
  return { steps: readSteps(project), deviceFiles: Object.fromEntries(texts) }
}

/** The step programs that `npm ci` compiled; they run in the sandbox. */
export function readSteps(project: string): Record<string, string> {
  const directory = join(project, 'dist/steps')
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(STEPS))
    .sort()
  return Object.fromEntries(names.map((name) => [name.slice(0, -STEPS.length), readText(join(directory, name))]))
}

function readText(file: string): string {
  const text = readFileSync(file, 'utf8')
  const problem = unixTextProblem(text)
  if (problem === undefined) return text
  throw new UserError('format', `cannot put '${file}' into an image: ${problem}`, {
    hint: `restore the file from Git, or convert its line endings: sed -i 's/\\r$//' '${file}'`,
  })
}
