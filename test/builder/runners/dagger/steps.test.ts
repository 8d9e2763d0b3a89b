import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { daggerRunner } from '../../../../builder/runners/dagger.ts'
import { derivationDigest } from '../../../../images/derivation.ts'
import { derivation } from '../../../helpers/derivation.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { fakeCli } from '../../../helpers/fake-dagger/cli.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { storeWithToolchain } from '../../../helpers/toolchain.ts'

it('reports each derivation as a step, and writes its log while it runs', async () => {
  const directory = await tempDirectory()
  vi.stubEnv('DAGGER_SESSION_PORT', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_RUNNER_HOST', undefined)
  vi.stubEnv('_EXPERIMENTAL_DAGGER_CLI_BIN', await fakeCli(directory))
  const { store, fetch, toolchain } = await storeWithToolchain()
  const shell = (name: string, script: string, inputs = {}) =>
    derivation({ name, system: toolchain.architecture, toolchain, inputs, command: ['bash', '-ec', script, directory] })
  const first = shell('first', 'echo early; sleep 2; echo late >&2; echo text > /out/file')
  const second = shell('second', 'cat /in/given; cp /in/given /out/copy', { given: { from: first, file: 'file' } })
  const log = (of: typeof first) => readFileSync(join(store.root, 'logs', `${derivationDigest(of)}.log`), 'utf8')
  const reporter = listReporter()
  let seen = ''
  const realised = daggerRunner({ store, fetch }).realise([second], reporter)
  await eventually(async () => {
    seen = log(first)
    return seen !== ''
  }, 55).catch(() => undefined)
  const endedThen = [...reporter.ended]
  await realised
  expect(seen).toBe('early\n')
  expect(endedThen).toEqual(['connect to the Dagger engine: done', 'send inputs to the Dagger engine: done'])
  expect(reporter.ended.slice(2)).toEqual(['first: built', 'second: built'])
  expect([log(first), log(second)]).toEqual(['early\nlate\n', 'text\n'])
  expect(store.output(derivationDigest(first))).toBeUndefined()
})
