import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withEngine } from '../../builder/runners/dagger/session.ts'
import { engineEnv, requireEngine } from '../helpers/dagger-engine.ts'
import { copyProject, runIn } from '../helpers/project.ts'
import { listReporter } from '../helpers/reporter.ts'

const project = copyProject()
let version = ''

beforeAll(async () => {
  await requireEngine()
  const session = { log: join(project.directory, 'dagger.log'), connecting: listReporter().step('connect') }
  version = await withEngine(session, async (engine) => engine.version)
})
afterAll(() => project.remove())

/** Adama's sums after a build on an empty store, without keys, so that the sums do not depend on the owner. */
async function sums(runner: 'dagger' | 'local'): Promise<string> {
  const env = {
    ...engineEnv(process.env),
    HANGAR_STORE: join(project.directory, `.store-${runner}`),
    XDG_CONFIG_HOME: join(project.directory, '.config'),
    CI: 'true',
  }
  const { code, stdout, stderr } = await runIn(
    { cwd: project.directory, env },
    ...(['npm', 'run', 'build:image', 'adama', '--', '--runner', runner] as const),
  )
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  return readFileSync(join(project.directory, 'out/adama/SHA256SUMS'), 'utf8')
}

it('builds the same bytes of Adama with a Dagger engine and with the local runner', async () => {
  const [dagger, local] = [await sums('dagger'), await sums('local')]
  expect(dagger).toMatch(/^[0-9a-f]{64} {2}slot\.img$/m)
  expect(dagger).toBe(local)
  console.log(`Dagger engine ${version}, out/adama/SHA256SUMS, by both runners:\n${dagger}`)
})
