import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files of this project that go into images unchanged. */
export interface Assets {
  /** Step name -> its program, one file that needs only Debian's node. */
  readonly steps: Readonly<Record<string, string>>
  /** The initramfs' /init. */
  readonly init: string
  /** File name -> script that runs on the device. */
  readonly deviceScripts: Readonly<Record<string, string>>
  /** Path below `overlays/device` -> source that is compiled for the device. */
  readonly native: Readonly<Record<string, string>>
}

/** Reads the steps that `npm ci` compiled, and the device's scripts and sources. `project` is the project's directory. */
export function readAssets(project: string): Assets {
  return {
    steps: readTexts(join(project, 'dist/steps'), '.mjs'),
    init: readFileSync(join(project, 'overlays/device/initramfs/init'), 'utf8'),
    deviceScripts: {
      ...readTexts(join(project, 'overlays/device/system'), '.sh'),
      ...readTexts(join(project, 'overlays/device/agent'), '.sh'),
    },
    native: { ...readSources(project, 'blocks'), ...readSources(project, 'tryboot-module') },
  }
}

function readTexts(directory: string, ending: string): Record<string, string> {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .sort()
  return Object.fromEntries(
    names.map((name) => [name.slice(0, -ending.length), readFileSync(join(directory, name), 'utf8')]),
  )
}

function readSources(project: string, name: string): Record<string, string> {
  const directory = join(project, 'overlays/device', name)
  const files = readdirSync(directory).sort()
  return Object.fromEntries(files.map((file) => [`${name}/${file}`, readFileSync(join(directory, file), 'utf8')]))
}
