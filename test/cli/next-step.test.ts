import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nextStep } from '../../cli/next-step.ts'
import { usageError } from '../../cli/usage.ts'
import { tempDirectory } from '../helpers/temp.ts'

describe('nextStep', () => {
  it('suggests to build the first host, then to boot its image', async () => {
    const project = await tempDirectory()
    expect(nextStep(project, ['adama', 'starbuck'])).toBe('npm run build:image adama')
    mkdirSync(join(project, 'out/adama'), { recursive: true })
    expect(nextStep(project, ['adama'])).toBe('npm run build:image adama')
    writeFileSync(join(project, 'out/adama/adama.img'), '')
    expect(nextStep(project, ['adama'])).toBe('npm run vm adama')
  })

  it('prints a placeholder if the project has no hosts', async () => {
    expect(nextStep(await tempDirectory(), [])).toBe('npm run build:image NAME')
  })
})

describe('usageError', () => {
  const syntax = { path: ['build'], words: ['HOST'], flags: [] }

  it('names the help, and starts hangar in the same way as the user did', () => {
    const npm = { npm_lifecycle_event: 'build:image', npm_lifecycle_script: 'node cli/hangar.mjs build' }
    const problem = "error: missing required argument 'host'."
    expect(usageError(problem, {}, syntax)).toMatchObject({
      message: "missing required argument 'host'",
      hint: 'see hangar build --help',
    })
    expect(usageError(problem, npm, syntax).hint).toBe('see npm run build:image -- --help')
  })

  it('includes the suggestion of the command-line parser', () => {
    expect(usageError("error: unknown option '--frozn'\n(Did you mean --frozen?)", {}, syntax)).toMatchObject({
      message: "unknown option '--frozn'",
      hint: "did you mean '--frozen'?",
    })
  })
})
