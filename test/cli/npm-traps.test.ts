import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Verb } from '../../cli/invocation.ts'
import { refuseSwallowedFlags } from '../../cli/npm-traps.ts'
import { runIn } from '../helpers/project.ts'
import { tempDirectory } from '../helpers/temp.ts'

const flag = (long: string, value?: string) => ({ long, value })
const BUILD: Verb = { path: ['build'], words: ['HOST'], flags: [flag('--frozen'), flag('--no-frozen')] }
const FLASH: Verb = { path: ['flash'], words: ['HOST'], flags: [flag('--dry-run'), flag('--slot', 'SLOT')] }
const LOCK: Verb = { path: ['lock'], words: [], flags: [flag('--update')] }

const script = (event: string) => ({ npm_lifecycle_event: event, npm_lifecycle_script: 'node cli/hangar.mjs' })

function refusal(env: NodeJS.ProcessEnv, verb: Verb, args: readonly string[]) {
  try {
    refuseSwallowedFlags(env, verb, args)
  } catch (error) {
    return { message: (error as Error).message, hint: (error as { hint?: string }).hint }
  }
  return undefined
}

describe('flags that npm took', () => {
  it('are refused with the command that works', () => {
    expect(refusal({ ...script('build:image'), npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])).toEqual({
      message: "npm took '--frozen' for itself: flags for hangar come after '--'",
      hint: 'npm run build:image adama -- --frozen',
    })
  })

  it('are told from their opposite', () => {
    const hint = (value: string) =>
      refusal({ ...script('build:image'), npm_config_frozen: value }, BUILD, ['build', 'adama'])?.hint
    expect(hint('')).toBe('npm run build:image adama -- --no-frozen')
    expect(hint('false')).toBe('npm run build:image adama -- --no-frozen')
  })

  it('are put together with those that arrived', () => {
    const env = { ...script('flash'), npm_config_dry_run: 'true' }
    expect(refusal(env, FLASH, ['flash', 'adama', '--slot=b'])?.hint).toBe('npm run flash adama -- --slot=b --dry-run')
  })

  it('keep their value where npm kept it', () => {
    expect(refusal({ ...script('flash'), npm_config_slot: 'b' }, FLASH, ['flash', 'adama'])?.hint).toBe(
      'npm run flash adama -- --slot b',
    )
  })

  it('name the value where npm left it among the words', () => {
    expect(refusal({ ...script('flash'), npm_config_slot: 'true' }, FLASH, ['flash', 'adama', 'b'])?.hint).toBe(
      'npm run flash HOST -- --slot SLOT',
    )
  })

  it('are seen where npm took them for the beginning of a name of its own', () => {
    expect(refusal({ ...script('lock'), npm_config_update_notifier: 'true' }, LOCK, ['lock'])?.hint).toBe(
      'npm run lock -- --update',
    )
    expect(refusal({ ...script('lock'), npm_config_update_notifier: '' }, LOCK, ['lock'])).toBeUndefined()
  })

  it('get a hint that starts as the command did', () => {
    const hint = (event: string) =>
      refusal({ ...script(event), npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])?.hint
    expect(hint('hangar')).toBe('npm run hangar build adama -- --frozen')
    expect(hint('npx')).toBe('npx hangar build adama --frozen')
  })

  it('are no matter where they reached the program too', () => {
    expect(
      refusal({ ...script('build:image'), npm_config_frozen: 'true' }, BUILD, ['build', 'adama', '--frozen']),
    ).toBeUndefined()
  })

  it('are no matter without npm, whose variables may stand in any environment', () => {
    expect(refusal({ npm_config_frozen: 'true' }, BUILD, ['build', 'adama'])).toBeUndefined()
  })

  it('are not seen in what npm sets by itself', () => {
    const env = {
      ...script('build:image'),
      npm_config_user_agent: 'npm/11',
      npm_config_update_notifier: '',
      npm_config_noproxy: '',
    }
    expect(refusal(env, BUILD, ['build', 'adama'])).toBeUndefined()
  })
})

describe('what the installed npm does with a flag before --', () => {
  const flags = [
    ...['--frozen', '--no-frozen', '--keep', '--dry-run', '--slot=b', '--update', '--stage', '--full', '--no-build'],
    ...['--allow-downgrade', '--at=10.0.10.11', '--disk=/dev/sda', '--yes', '--keep-data', '--without-identity'],
    ...['--with-data', '--json', '--offline', '--generation=3', '--all', '--no-files', '--older-than=30d'],
  ]

  it('leaves a trace of every one of them, and none without', async () => {
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
      const verb = { path: [], words: ['HOST'], flags: [flag(long, given === long ? undefined : 'SLOT')] }
      expect(refusal(env, verb, args)?.hint, given).toBe(`npm run show adama -- ${given.replace('=', ' ')}`)
    }
    const { args, env } = await seen('--', '--frozen')
    expect(args).toEqual(['adama', '--frozen'])
    for (const given of flags) {
      const verb = { path: [], words: ['HOST'], flags: [flag(given.replace(/=.*/, ''))] }
      expect(refusal(env, verb, args), given).toBeUndefined()
    }
  })
})
