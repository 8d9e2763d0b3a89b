import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { toolchainDirectory } from '../../../builder/toolchain/toolchain.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { eventually } from '../../helpers/eventually.ts'
import { commandLines } from '../../helpers/processes.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

/** A builder that runs one endless command in a sandbox. */
const BUILDER = `
import { runSandboxed } from './builder/runners/sandbox.ts'
const [, , toolchain, directory, mark] = process.argv
const place = { inputs: directory + '/in', output: directory + '/out', work: directory + '/work', log: directory + '/log' }
await runSandboxed({ ...place, toolchain, command: ['sleep', mark], env: {}, privilege: 'default' })
`

function running(mark: string): number {
  return commandLines().filter((command) => command.join(' ') === `sleep ${mark}`).length
}

it('ends the commands in sandboxes when the builder is killed', async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const root = await toolchainDirectory(toolchain, store, fetch, listReporter())
  const directory = await tempDirectory()
  for (const name of ['in', 'out', 'work']) mkdirSync(join(directory, name))
  const program = await childProgram(BUILDER, directory)
  const mark = `1000.${process.pid}`
  const child = spawn(process.execPath, [program, root, directory, mark], { stdio: 'inherit' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await eventually(async () => running(mark) === 1, 20)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await eventually(async () => running(mark) === 0, 20)
  expect(running(mark)).toBe(0)
})
