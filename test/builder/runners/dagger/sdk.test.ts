import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadSdk } from '../../../../builder/runners/dagger/sdk.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

it('compiles the SDK once, without the TypeScript compiler', async () => {
  const { Client, Bin } = await loadSdk()
  expect([Client, Bin]).toEqual([expect.any(Function), expect.any(Function)])
  const cache = join(PROJECT, 'node_modules/.cache/hangar')
  const compiled = () =>
    readdirSync(cache)
      .filter((name) => /^dagger-sdk-.*\.mjs$/.test(name))
      .map((name) => [name, statSync(join(cache, name)).mtimeMs] as const)
  const before = compiled()
  expect(before.length).toBeGreaterThan(0)
  expect((await loadSdk()).Client).toBe(Client)
  expect(compiled()).toEqual(before)
  const text = readFileSync(join(cache, before.at(-1)?.[0] ?? ''), 'utf8')
  expect(text).toContain('node_modules/@dagger.io/dagger/')
  expect(text).not.toContain('node_modules/typescript/')
})
