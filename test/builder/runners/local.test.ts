import { localRunner } from '../../../builder/runners/local.ts'
import { describeRunner } from '../../contracts/runner.ts'
import { describeRunnerOutputs } from '../../contracts/runner-outputs.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

describeRunner('local', 'none', async (signal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: localRunner({ store, fetch, signal }) }
})

describeRunnerOutputs('local', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, fetch, toolchain, runnerWith: (using) => localRunner({ store, fetch: using }) }
})
