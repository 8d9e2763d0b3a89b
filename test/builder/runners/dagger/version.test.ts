import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAGGER_VERSION, requireVersion } from '../../../../builder/runners/dagger/version.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

describe('requireVersion', () => {
  it("requires the version of the SDK's package", () => {
    const { dependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
    expect(dependencies['@dagger.io/dagger']).toBe(DAGGER_VERSION)
  })

  it.each([DAGGER_VERSION, `v${DAGGER_VERSION}`, 'v0.21.0', 'v0.21.8-dev'])(
    'accepts an engine with version %s',
    (version) => {
      expect(() => requireVersion(version)).not.toThrow()
    },
  )

  it.each(['v0.20.8', 'v0.210.0', 'v1.21.0', ''])("refuses an engine with version '%s'", (version) => {
    expect(() => requireVersion(version)).toThrow(
      expect.objectContaining({
        code: 'engine',
        message: `the Dagger engine has version '${version}', wanted 0.21`,
        hint: expect.stringContaining('_EXPERIMENTAL_DAGGER_RUNNER_HOST=…'),
      }),
    )
  })
})
