import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAGGER_VERSION } from '../../../builder/runners/dagger/version.ts'
import { surveyMachine } from '../../../builder/runners/survey.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A machine with these programs beside the usual ones; what they were called with is kept. */
async function machine(programs: Readonly<Record<string, string>>, { cli = false } = {}) {
  const home = await tempDirectory()
  for (const directory of ['bin', 'store', '.cache/dagger']) mkdirSync(join(home, directory), { recursive: true })
  for (const [name, script] of Object.entries(programs)) {
    const file = join(home, 'bin', name)
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> '${home}/calls'\n${script}\n`)
    chmodSync(file, 0o755)
  }
  if (cli) writeFileSync(join(home, '.cache/dagger', `dagger-${DAGGER_VERSION}`), '')
  const store = await openStore(join(home, 'store'))
  const env = { HOME: home, PATH: `${home}/bin` }
  const calls = () => readFileSync(join(home, 'calls'), 'utf8').trim().split('\n')
  return { survey: (more: NodeJS.ProcessEnv = {}) => surveyMachine({ ...env, ...more }, store), calls }
}

const ANSWERS = 'exit 0'
const SILENT = 'exit 1'
const WITHOUT_IMAGE = '[ "$1" = info ]'

describe('a machine', () => {
  it('with no container engine has none', async () => {
    const { survey } = await machine({})
    expect(await survey()).toMatchObject({ named: undefined, containers: undefined })
  })

  it('whose docker has no daemon has none either', async () => {
    const { survey, calls } = await machine({ docker: SILENT }, { cli: true })
    expect((await survey()).containers).toBeUndefined()
    expect(calls()).toEqual(['docker info'])
  })

  it('has the first one that answers', async () => {
    const { survey } = await machine({ docker: SILENT, podman: ANSWERS })
    expect((await survey()).containers).toEqual({ program: 'podman', dagger: 'to be fetched' })
  })

  it("has Dagger's engine only with the image and the CLI", async () => {
    const both = await machine({ docker: ANSWERS }, { cli: true })
    expect((await both.survey()).containers).toEqual({ program: 'docker', dagger: 'here' })
    expect(both.calls()[1]).toBe(`docker image inspect registry.dagger.io/engine:v${DAGGER_VERSION}`)
    const noImage = await machine({ docker: WITHOUT_IMAGE }, { cli: true })
    expect((await noImage.survey()).containers).toEqual({ program: 'docker', dagger: 'to be fetched' })
    const noCli = await machine({ docker: ANSWERS })
    expect((await noCli.survey()).containers).toEqual({ program: 'docker', dagger: 'to be fetched' })
  })

  it.each(['DAGGER_SESSION_PORT', '_EXPERIMENTAL_DAGGER_RUNNER_HOST'])(
    'for which %s names an engine is not looked at any further',
    async (variable) => {
      const { survey, calls } = await machine({ docker: ANSWERS }, { cli: true })
      expect((await survey({ [variable]: 'value' })).named).toEqual({ variable, value: 'value' })
      expect(calls).toThrow('ENOENT')
    },
  )
})
