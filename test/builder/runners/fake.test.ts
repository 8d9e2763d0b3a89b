import { describeRunnerOutputs } from '../../contracts/runner-outputs.ts'
import { fakeRunner } from '../../helpers/fake-runner.ts'
import { smallToolchain } from '../../helpers/small-toolchain.ts'

describeRunnerOutputs('fake', async () => {
  const { store, fetch, toolchain } = await smallToolchain([{ name: 'one', files: { 'usr/bin/one': 'one\n' } }])
  return { store, fetch, toolchain, runnerWith: (using) => fakeRunner(store, using) }
})
