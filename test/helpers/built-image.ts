import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const PROJECT = join(import.meta.dirname, '../..')

/**
 * Before virtual machines boot: what `npm run build:image adama` leaves in out/ is up to date, and the owner has keys to
 * log in with. Continuous integration makes no keys of its own accord; a test machine needs them.
 */
export function setup(): void {
  const frozen = process.env.CI === 'true' ? ['--frozen'] : []
  const { status } = spawnSync(process.execPath, [join(PROJECT, 'cli/hangar.mjs'), 'build', 'adama', ...frozen], {
    cwd: PROJECT,
    env: { ...process.env, CI: '' },
    stdio: 'inherit',
  })
  if (status !== 0)
    throw new Error(`adama's image could not be built: 'npm run build:image adama' ended with ${status}`)
}
