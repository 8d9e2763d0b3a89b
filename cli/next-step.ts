import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The command that a new user types next. */
export function nextStep(project: string, hosts: readonly string[]): string {
  const [first = 'NAME'] = hosts
  const isBuilt = existsSync(join(project, 'out', first, `${first}.img`))
  return isBuilt ? `npm run vm ${first}` : `npm run build:image ${first}`
}
