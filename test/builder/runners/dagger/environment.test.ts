import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cliEnvironment, findCli, requireCli } from '../../../../builder/runners/dagger/environment.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function home() {
  const directory = await tempDirectory()
  mkdirSync(join(directory, '.cache/dagger'), { recursive: true })
  const fetched = join(directory, '.cache/dagger/dagger-0.21.9')
  return { HOME: directory, fetched }
}

describe('findCli and requireCli', () => {
  it('findCli returns no CLI before the download', async () => {
    const { HOME, fetched } = await home()
    expect(findCli({ HOME })).toBeUndefined()
    writeFileSync(fetched, '')
    expect(findCli({ HOME })).toBe(fetched)
  })

  it('findCli prefers a named CLI to a downloaded one', async () => {
    const { HOME, fetched } = await home()
    writeFileSync(fetched, '')
    const own = join(HOME, 'dagger')
    writeFileSync(own, '')
    expect(findCli({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: own })).toBe(own)
    expect(findCli({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: join(HOME, 'nowhere') })).toBeUndefined()
  })

  it.each([
    ['a missing file', () => undefined, 'it does not exist'],
    ['a directory', (file: string) => mkdirSync(file), 'it is a directory'],
    [
      'a file that is not executable',
      (file: string) => writeFileSync(file, '', { mode: 0o644 }),
      'it is not executable',
    ],
    ['a pipe', (file: string) => void execFileSync('mkfifo', [file]), 'it is not a file'],
  ])('requireCli refuses %s', async (_, make, problem) => {
    const file = join(await tempDirectory(), 'dagger')
    make(file)
    expect(() => requireCli({ _EXPERIMENTAL_DAGGER_CLI_BIN: file })).toThrow(
      expect.objectContaining({
        code: 'engine',
        message: `cannot start Dagger's CLI '${file}': ${problem}`,
        hint: expect.stringContaining('unset _EXPERIMENTAL_DAGGER_CLI_BIN to download the CLI'),
      }),
    )
  })

  it('requireCli finds a downloaded CLI, and returns no CLI before the download', async () => {
    const { HOME, fetched } = await home()
    expect(requireCli({ HOME })).toBeUndefined()
    writeFileSync(fetched, '')
    expect(requireCli({ HOME })).toBe(fetched)
  })
})

describe('cliEnvironment', () => {
  it('passes the whole environment to the CLI, and turns off telemetry unless the user chose otherwise', () => {
    expect(cliEnvironment({ PATH: '/bin', NOTHING: undefined, DAGGER_PROGRESS: 'tty' })).toEqual({
      ...{ PATH: '/bin', DO_NOT_TRACK: '1', DAGGER_NO_NAG: '1', NO_COLOR: '1' },
      DAGGER_PROGRESS: 'plain',
    })
    expect(cliEnvironment({ DO_NOT_TRACK: '0' })).toMatchObject({ DO_NOT_TRACK: '0' })
  })
})
