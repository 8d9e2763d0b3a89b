import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCli, nameCli } from '../../../../builder/runners/dagger/cli.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function home() {
  const directory = await tempDirectory()
  mkdirSync(join(directory, '.cache/dagger'), { recursive: true })
  const fetched = join(directory, '.cache/dagger/dagger-0.21.9')
  return { HOME: directory, fetched }
}

describe("Dagger's CLI", () => {
  it('is not there before it is fetched', async () => {
    const { HOME, fetched } = await home()
    expect(findCli({ HOME })).toBeUndefined()
    writeFileSync(fetched, '')
    expect(findCli({ HOME })).toBe(fetched)
  })

  it('is the one that is named, even where another was fetched', async () => {
    const { HOME, fetched } = await home()
    writeFileSync(fetched, '')
    const own = join(HOME, 'dagger')
    writeFileSync(own, '')
    expect(findCli({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: own })).toBe(own)
    expect(findCli({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: join(HOME, 'nowhere') })).toBeUndefined()
  })

  it('that is named and not there is said to be missing', () => {
    expect(() => nameCli({ _EXPERIMENTAL_DAGGER_CLI_BIN: '/nowhere' })).toThrow(
      expect.objectContaining({
        code: 'engine',
        message: "Dagger's CLI is not at '/nowhere'",
        hint: expect.stringContaining('unset it'),
      }),
    )
  })

  it('is named to the SDK where it was fetched, and left to it where it was not', async () => {
    const { HOME, fetched } = await home()
    const env: NodeJS.ProcessEnv = { HOME }
    nameCli(env)
    expect(env).toEqual({ HOME })
    writeFileSync(fetched, '')
    nameCli(env)
    expect(env).toEqual({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: fetched })
  })
})
