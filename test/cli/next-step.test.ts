import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nextStep } from '../../cli/next-step.ts'
import { usageError } from '../../cli/usage.ts'
import { tempDirectory } from '../helpers/temp.ts'

describe('the next step', () => {
  it('is to build the first host, and to boot it once it is built', async () => {
    const project = await tempDirectory()
    expect(nextStep(project, ['adama', 'starbuck'])).toBe('npm run build:image adama')
    mkdirSync(join(project, 'out/adama'), { recursive: true })
    expect(nextStep(project, ['adama'])).toBe('npm run build:image adama')
    writeFileSync(join(project, 'out/adama/adama.img'), '')
    expect(nextStep(project, ['adama'])).toBe('npm run vm adama')
  })

  it('has a word to replace where there is no host', async () => {
    expect(nextStep(await tempDirectory(), [])).toBe('npm run build:image NAME')
  })
})

describe('a complaint about the command line', () => {
  const verb = { path: ['build'], words: ['HOST'], flags: [] }

  it('points at the help, in the form in which the command was given', () => {
    const npm = { npm_lifecycle_event: 'build:image', npm_lifecycle_script: 'node cli/hangar.mjs build' }
    const complaint = "error: missing required argument 'host'."
    expect(usageError(complaint, {}, verb)).toMatchObject({
      message: "missing required argument 'host'",
      hint: 'see hangar build --help',
    })
    expect(usageError(complaint, npm, verb).hint).toBe('see npm run build:image -- --help')
  })

  it('hands on what the parser guesses', () => {
    expect(usageError("error: unknown option '--frozn'\n(Did you mean --frozen?)", {}, verb)).toMatchObject({
      message: "unknown option '--frozn'",
      hint: "did you mean '--frozen'?",
    })
  })
})
