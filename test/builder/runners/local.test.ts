import { localRunner } from '../../../builder/runners/local.ts'
import { describeRunner } from '../../contracts/runner.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

describeRunner('local', 'none', async (signal) => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  return { store, toolchain, runner: localRunner({ store, fetch, signal }) }
})
