import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Brings `dist/` up to date, steps included, as every command of the program does before it starts. */
export function compile(project: string): void {
  execFileSync(process.execPath, [join(project, 'cli/hangar.mjs'), '--help'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
