import { beforeAll } from 'vitest'
import { daggerRunner } from '../../builder/runners/dagger.ts'
import { describeRunner } from '../contracts/runner.ts'
import { describeRunnerOutputs } from '../contracts/runner-outputs.ts'
import { describeRunnerStops } from '../contracts/runner-stops.ts'
import { requireEngine } from '../helpers/dagger-engine.ts'
import { storeWithToolchain } from '../helpers/toolchain.ts'

beforeAll(requireEngine)

const make = async (signal?: AbortSignal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: daggerRunner({ store, fetch, signal }) }
}

describeRunner('Dagger (a real engine)', 'own', make)

describeRunnerStops('Dagger (a real engine)', make)

describeRunnerOutputs('Dagger (a real engine)', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, fetch, toolchain, runnerWith: (using) => daggerRunner({ store, fetch: using }) }
})
