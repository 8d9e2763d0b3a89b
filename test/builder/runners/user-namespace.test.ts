import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { toolchainDirectory } from '../../../builder/toolchain/toolchain.ts'
import { childProgram } from '../../helpers/child-program.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'
import { inUserNamespace } from '../../helpers/user-namespace.ts'

/** A builder with a command that mounts /proc and /sys, as maintainer scripts do. */
const BUILDER = `
import { runSandboxed } from './builder/runners/sandbox.ts'
const [, , toolchain, directory] = process.argv
const place = { inputs: directory + '/in', output: directory + '/out', work: directory + '/work', log: directory + '/log' }
const script = 'mkdir p s; mount -t proc proc p; mount -t sysfs -o ro sysfs s; cp p/self/comm /out/proc; ls s >/out/sys; cp p/sys/kernel/hostname /out/name'
const { exitCode } = await runSandboxed({ ...place, toolchain, command: ['sh', '-ec', script], env: {}, privilege: 'all' })
process.exit(exitCode)
`

it("lets a command mount /proc and /sys, and fixes the machine's name, when the builder runs in a user namespace", async () => {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const root = await toolchainDirectory(toolchain, store, fetch, listReporter())
  const directory = await tempDirectory()
  for (const name of ['in', 'out', 'work']) mkdirSync(join(directory, name))
  const program = await childProgram(BUILDER, directory)
  await inUserNamespace({ script: ':', env: {} }, process.execPath, [program, root, directory])
  const read = (name: string) => readFileSync(join(directory, 'out', name), 'utf8').trim()
  expect(read('proc')).toBe('cp')
  expect(read('name')).toBe('localhost')
  expect(read('sys').split('\n')).toContain('kernel')
})
