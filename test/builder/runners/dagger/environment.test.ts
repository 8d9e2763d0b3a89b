import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCli, nameCli } from '../../../../builder/runners/dagger/environment.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function home() {
  const directory = await tempDirectory()
  mkdirSync(join(directory, '.cache/dagger'), { recursive: true })
  const fetched = join(directory, '.cache/dagger/dagger-0.21.9')
  return { HOME: directory, fetched }
}

describe('findCli and nameCli', () => {
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

  it('findCli refuses a named CLI that does not exist', () => {
    expect(() => nameCli({ _EXPERIMENTAL_DAGGER_CLI_BIN: '/nowhere' })).toThrow(
      expect.objectContaining({
        code: 'engine',
        message: "Dagger's CLI does not exist at '/nowhere'",
        hint: expect.stringContaining('unset it'),
      }),
    )
  })

  it('nameCli names a downloaded CLI to the SDK, and otherwise the SDK downloads one', async () => {
    const { HOME, fetched } = await home()
    const env: NodeJS.ProcessEnv = { HOME }
    nameCli(env)
    expect(env).toEqual({ HOME })
    writeFileSync(fetched, '')
    nameCli(env)
    expect(env).toEqual({ HOME, _EXPERIMENTAL_DAGGER_CLI_BIN: fetched })
  })
})
