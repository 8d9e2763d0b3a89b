import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onPath } from './fake-device.ts'
import { WRAPPED, writeWrappers } from './program-wrappers.ts'
import { testPrograms } from './test-programs.ts'

/**
 * Runs once before the unit tests: adds the programs to PATH that this machine lacks. They come from locked Debian packages,
 * as the programs of builds do. The programs of the machine come first.
 */
export async function setup(): Promise<(() => void) | undefined> {
  const missing = WRAPPED.filter((name) => onPath(name) === undefined)
  if (missing.length === 0) return undefined
  console.log(`not on this machine, so from locked packages: ${missing.join(', ')}`)
  const root = await testPrograms()
  const directory = mkdtempSync(join(tmpdir(), 'hangar-programs-'))
  writeWrappers(root, directory)
  process.env.PATH = [process.env.PATH ?? '/usr/bin:/bin', directory].join(delimiter)
  return () => rmSync(directory, { recursive: true, force: true })
}
