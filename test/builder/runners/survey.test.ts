import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAGGER_VERSION } from '../../../builder/runners/dagger/version.ts'
import { surveyMachine } from '../../../builder/runners/survey.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A machine with these additional programs. The programs record their arguments. */
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

describe('surveyMachine', () => {
  it('reports no container engine when none is installed', async () => {
    const { survey } = await machine({})
    expect(await survey()).toMatchObject({ named: undefined, containers: undefined })
  })

  it('reports no container engine when docker has no daemon', async () => {
    const { survey, calls } = await machine({ docker: SILENT }, { cli: true })
    expect((await survey()).containers).toBeUndefined()
    expect(calls()).toEqual(['docker info'])
  })

  it('reports the first container engine that answers', async () => {
    const { survey } = await machine({ docker: SILENT, podman: ANSWERS })
    expect((await survey()).containers).toEqual({ program: 'podman', dagger: 'missing' })
  })

  it("reports Dagger's engine only with both the image and the CLI", async () => {
    const both = await machine({ docker: ANSWERS }, { cli: true })
    expect((await both.survey()).containers).toEqual({ program: 'docker', dagger: 'present' })
    expect(both.calls()[1]).toBe(`docker image inspect registry.dagger.io/engine:v${DAGGER_VERSION}`)
    const noImage = await machine({ docker: WITHOUT_IMAGE }, { cli: true })
    expect((await noImage.survey()).containers).toEqual({ program: 'docker', dagger: 'missing' })
    const noCli = await machine({ docker: ANSWERS })
    expect((await noCli.survey()).containers).toEqual({ program: 'docker', dagger: 'missing' })
  })

  it.each(['DAGGER_SESSION_PORT', '_EXPERIMENTAL_DAGGER_RUNNER_HOST'])(
    'does not look for engines when %s names one',
    async (variable) => {
      const { survey, calls } = await machine({ docker: ANSWERS }, { cli: true })
      expect((await survey({ [variable]: 'value' })).named).toEqual({ variable, value: 'value' })
      expect(calls).toThrow('ENOENT')
    },
  )
})
