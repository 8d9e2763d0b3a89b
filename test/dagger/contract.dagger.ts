import { beforeAll } from 'vitest'
import { daggerRunner } from '../../builder/runners/dagger.ts'
import { describeRunner } from '../contracts/runner.ts'
import { describeRunnerOutputs } from '../contracts/runner-outputs.ts'
import { requireEngine } from '../helpers/dagger-engine.ts'
import { storeWithToolchain } from '../helpers/toolchain.ts'

beforeAll(requireEngine)

describeRunner('Dagger (a real engine)', 'own', async (signal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: daggerRunner({ store, fetch, signal }) }
})

describeRunnerOutputs('Dagger (a real engine)', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, fetch, toolchain, runnerWith: (using) => daggerRunner({ store, fetch: using }) }
})
