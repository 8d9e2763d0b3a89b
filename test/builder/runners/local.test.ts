import { localRunner } from '../../../builder/runners/local.ts'
import { describeRunner } from '../../contracts/runner.ts'
import { describeRunnerOutputs } from '../../contracts/runner-outputs.ts'
import { describeRunnerStops } from '../../contracts/runner-stops.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

const make = async (signal?: AbortSignal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: localRunner({ store, fetch, signal }) }
}

describeRunner('local', 'none', make)

describeRunnerStops('local', make)

describeRunnerOutputs('local', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, fetch, toolchain, runnerWith: (using) => localRunner({ store, fetch: using }) }
})
