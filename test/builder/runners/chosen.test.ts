import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { RunnerSetting } from '../../../builder/runners/choice.ts'
import { chosenRunner } from '../../../builder/runners/chosen.ts'
import { DAGGER_VERSION } from '../../../builder/runners/dagger/version.ts'
import { derivationDigest } from '../../../images/derivation.ts'
import { derivation } from '../../helpers/derivation.ts'
import { failingCli } from '../../helpers/fake-dagger/cli.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { smallToolchain } from '../../helpers/small-toolchain.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

/** A home with a CLI that fails, and a docker that has Dagger's image and records its calls. */
async function homeWithDagger() {
  const home = await tempDirectory()
  for (const directory of ['bin', '.cache/dagger']) mkdirSync(join(home, directory), { recursive: true })
  const docker = join(home, 'bin/docker')
  writeFileSync(docker, '#!/bin/sh\nexit 0\n')
  chmodSync(docker, 0o755)
  const cli = failingCli(join(home, '.cache/dagger'), 'docker: not today', `dagger-${DAGGER_VERSION}`)
  vi.stubEnv('DAGGER_SESSION_PORT', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_CLI_BIN', cli)
  return { HOME: home, PATH: join(home, 'bin') }
}

const builds = (mark: string) =>
  derivation({ name: 'some', command: ['bash', '-c', 'echo made > /out/file', mark, crypto.randomUUID()] })

async function runnerFor(setting: RunnerSetting) {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const runner = chosenRunner({ store, fetch, setting, env: await homeWithDagger() })
  const wanted = { ...builds(setting), system: toolchain.architecture, toolchain }
  const reporter = listReporter()
  return { reporter, realise: () => runner.realise([wanted], reporter) }
}

describe('chosenRunner', () => {
  it('does not survey the machine when the store has every output', async () => {
    const { store, fetch, toolchain } = await smallToolchain([{ name: 'one', files: {} }])
    const wanted = derivation({ toolchain })
    await store.record(derivationDigest(wanted), {})
    const reporter = listReporter()
    const env = new Proxy<NodeJS.ProcessEnv>({}, { get: (_, name) => expect.unreachable(`asked for ${String(name)}`) })
    for (const setting of ['auto', 'dagger', 'local'] as const) {
      await chosenRunner({ store, fetch, setting, env }).realise([wanted], reporter)
    }
    expect(reporter).toMatchObject({
      notices: [],
      warnings: [],
      ended: ['some: reused', 'some: reused', 'some: reused'],
    })
  })

  it('prints the engine that auto chose, and continues in sandboxes when the engine cannot be reached', async () => {
    const { reporter, realise } = await runnerFor('auto')
    await realise()
    expect(reporter.notices).toEqual(['using the dagger runner: docker has the Dagger engine'])
    expect(reporter.warnings).toEqual([
      'cannot reach the Dagger engine: docker: not today; continuing in sandboxes on this machine',
    ])
    expect(reporter.ended).toContain('some: built')
  })

  it('uses only Dagger when the user chose Dagger, and prints no choice', async () => {
    const { reporter, realise } = await runnerFor('dagger')
    await expect(realise()).rejects.toMatchObject({ code: 'engine' })
    expect({ ...reporter }).toMatchObject({ notices: [], warnings: [] })
    expect(reporter.ended).not.toContain('some: built')
  })

  it('looks for no engine when the user chose sandboxes', async () => {
    const { reporter, realise } = await runnerFor('local')
    await realise()
    expect(reporter).toMatchObject({ notices: [], warnings: [], ended: ['some: built'] })
  })
})
