import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { refuseSwallowedFlags } from '../../cli/npm-traps.ts'
import type { Syntax } from '../../cli/syntax.ts'
import { runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'

const flag = (long: string, value?: string) => ({ long, value })
const BUILD: Syntax = { path: ['build'], words: ['HOST'], flags: [flag('--frozen'), flag('--no-frozen')] }
const FLASH: Syntax = { path: ['flash'], words: ['HOST'], flags: [flag('--dry-run'), flag('--slot', 'SLOT')] }
const LOCK: Syntax = { path: ['lock'], words: [], flags: [flag('--update')] }

const script = (event: string) => ({ npm_lifecycle_event: event, npm_lifecycle_script: 'node cli/hangar.mjs' })

function refusal(env: NodeJS.ProcessEnv, syntax: Syntax, args: readonly string[]) {
  try {
    refuseSwallowedFlags(env, syntax, args)
  } catch (error) {
    return { message: (error as Error).message, hint: (error as { hint?: string }).hint }
  }
  return undefined
}

describe('refuseSwallowedFlags', () => {
  it('refuses a flag that npm took, and prints the command line that works', () => {
    expect(refusal({ ...script('build:image'), npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])).toEqual({
      message: "npm took '--frozen' as its own option: put flags for hangar after '--'",
      hint: 'npm run build:image adama -- --frozen',
    })
  })

  it('distinguishes --frozen and --no-frozen', () => {
    const hint = (value: string) =>
      refusal({ ...script('build:image'), npm_config_frozen: value }, BUILD, ['build', 'adama'])?.hint
    expect(hint('')).toBe('npm run build:image adama -- --no-frozen')
    expect(hint('false')).toBe('npm run build:image adama -- --no-frozen')
  })

  it('keeps the flags that npm passed to hangar', () => {
    const env = { ...script('flash'), npm_config_dry_run: 'true' }
    expect(refusal(env, FLASH, ['flash', 'adama', '--slot=b'])?.hint).toBe('npm run flash adama -- --slot=b --dry-run')
  })

  it('keeps the value of a flag if npm passed the value', () => {
    expect(refusal({ ...script('flash'), npm_config_slot: 'b' }, FLASH, ['flash', 'adama'])?.hint).toBe(
      'npm run flash adama -- --slot b',
    )
  })

  it('prints placeholders if npm moved the value of a flag among the words', () => {
    expect(refusal({ ...script('flash'), npm_config_slot: 'true' }, FLASH, ['flash', 'adama', 'b'])?.hint).toBe(
      'npm run flash HOST -- --slot SLOT',
    )
  })

  it('finds a flag that npm completed to one of its own options', () => {
    expect(refusal({ ...script('lock'), npm_config_update_notifier: 'true' }, LOCK, ['lock'])?.hint).toBe(
      'npm run lock -- --update',
    )
    expect(refusal({ ...script('lock'), npm_config_update_notifier: '' }, LOCK, ['lock'])).toBeUndefined()
  })

  it('prints a command line that starts hangar in the same way as the user did', () => {
    const hint = (event: string) =>
      refusal({ ...script(event), npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])?.hint
    expect(hint('hangar')).toBe('npm run hangar build adama -- --frozen')
    expect(hint('npx')).toBe('npx hangar build adama --frozen')
  })

  it('accepts a flag that npm also passed to hangar', () => {
    expect(
      refusal({ ...script('build:image'), npm_config_frozen: 'true' }, BUILD, ['build', 'adama', '--frozen']),
    ).toBeUndefined()
  })

  it('ignores npm variables in the environment when npm did not start hangar', () => {
    expect(refusal({ npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])).toBeUndefined()
  })

  it('ignores the variables that npm always sets', () => {
    const env = {
      ...script('build:image'),
      npm_config_user_agent: 'npm/11',
      npm_config_update_notifier: '',
      npm_config_noproxy: '',
    }
    expect(refusal(env, BUILD, ['build', 'adama'])).toBeUndefined()
  })
})

describe('the installed npm, given a flag before --', () => {
  const flags = [
    ...['--frozen', '--no-frozen', '--keep', '--dry-run', '--slot=b', '--update', '--stage', '--full', '--no-build'],
    ...['--allow-downgrade', '--at=10.0.10.11', '--disk=/dev/sda', '--yes', '--keep-data', '--without-identity'],
    ...['--with-data', '--json', '--offline', '--generation=3', '--all', '--no-files', '--older-than=30d'],
  ]

  it('npm sets a variable for each flag before --, and none for flags after --', async () => {
    const cwd = await tempDirectory()
    copyFileSync(new URL('../../.npmrc', import.meta.url), join(cwd, '.npmrc'))
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ scripts: { show: 'node show.mjs hangar' } }))
    writeFileSync(
      join(cwd, 'show.mjs'),
      'console.log(JSON.stringify({ args: process.argv.slice(3), env: process.env }))',
    )
    const seen = async (...given: string[]) => {
      const { stdout } = await runIn({ cwd }, 'npm', 'run', '-s', 'show', 'adama', ...given)
      return JSON.parse(stdout) as { args: string[]; env: NodeJS.ProcessEnv }
    }
    for (const given of flags) {
      const { args, env } = await seen(given)
      expect(args).toEqual(['adama'])
      const long = given.replace(/=.*/, '')
      const syntax = { path: [], words: ['HOST'], flags: [flag(long, given === long ? undefined : 'SLOT')] }
      expect(refusal(env, syntax, args)?.hint, given).toBe(`npm run show adama -- ${given.replace('=', ' ')}`)
    }
    const { args, env } = await seen('--', '--frozen')
    expect(args).toEqual(['adama', '--frozen'])
    for (const given of flags) {
      const syntax = { path: [], words: ['HOST'], flags: [flag(given.replace(/=.*/, ''))] }
      expect(refusal(env, syntax, args), given).toBeUndefined()
    }
  })
})
