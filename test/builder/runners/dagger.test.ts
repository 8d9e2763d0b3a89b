import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { daggerRunner } from '../../../builder/runners/dagger.ts'
import { describeRunner } from '../../contracts/runner.ts'
import { describeRunnerOutputs } from '../../contracts/runner-outputs.ts'
import { describeRunnerStops } from '../../contracts/runner-stops.ts'
import { type FakeSession, fakeSession } from '../../helpers/fake-dagger/server.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

const scratch = mkdtempSync(join(tmpdir(), 'hangar-dagger-'))
let session: FakeSession

beforeAll(async () => {
  session = await fakeSession(scratch)
  process.env.DAGGER_SESSION_PORT = String(session.port)
  process.env.DAGGER_SESSION_TOKEN = session.token
})

afterAll(async () => {
  await session.close()
  rmSync(scratch, { recursive: true, force: true })
}, 60_000)

const make = async (signal?: AbortSignal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: daggerRunner({ store, fetch, signal }) }
}

describeRunner('Dagger (fake engine)', 'own', make)

describeRunnerStops('Dagger (fake engine)', make)

describeRunnerOutputs('Dagger (fake engine)', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, fetch, toolchain, runnerWith: (using) => daggerRunner({ store, fetch: using }) }
})
