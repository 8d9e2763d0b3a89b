import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Texts that go into images unchanged. */
export interface Assets {
  /** Name of a step -> its program: one file that needs only Debian's node. */
  readonly steps: Readonly<Record<string, string>>
  /** Path below `overlays/device` -> script, or source of a program that is compiled for the host. */
  readonly deviceFiles: Readonly<Record<string, string>>
}

const STEPS = '.mjs'

/** Reads the compiled steps and the given files below `overlays/device`. `project` is the project's own directory. */
export function readAssets(project: string, deviceSources: readonly string[]): Assets {
  const directory = join(project, 'overlays/device')
  requireAllNamed(directory, deviceSources)
  const texts = deviceSources.map((source) => [source, readFileSync(join(directory, source), 'utf8')] as const)
  return { steps: readSteps(project), deviceFiles: Object.fromEntries(texts) }
}

/** The programs that `npm ci` compiled for the sandbox. */
export function readSteps(project: string): Record<string, string> {
  const directory = join(project, 'dist/steps')
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(STEPS))
    .sort()
  return Object.fromEntries(
    names.map((name) => [name.slice(0, -STEPS.length), readFileSync(join(directory, name), 'utf8')]),
  )
}

/** A script without an entry in the manifest would be missing on the host, which shows only when it is called. */
function requireAllNamed(directory: string, deviceSources: readonly string[]): void {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
  const unnamed = found.filter((path) => !deviceSources.includes(path)).sort()
  if (unnamed.length === 0) return
  throw new Error(
    `overlays/device/manifest.ts names no destination for '${unnamed.join("', '")}': add or remove the file`,
  )
}
