import { describe, expect, it } from 'vitest'
import { builderArchitecture } from '../../../builder/runners/architecture.ts'

const NAMED = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: 'tcp://builder:8080' }

describe('the architecture of what derivations run', () => {
  it("is this machine's where nobody says another, whatever runs them", () => {
    expect(builderArchitecture('arm64', {}, 'local')).toBe('arm64')
    expect(builderArchitecture('amd64', { ...NAMED, HANGAR_BUILDER: '' }, 'auto')).toBe('amd64')
    expect(builderArchitecture('amd64', { HANGAR_BUILDER: 'amd64' }, 'local')).toBe('amd64')
  })

  it('is that of the engine that HANGAR_BUILDER says', () => {
    expect(builderArchitecture('amd64', { HANGAR_BUILDER: 'arm64' }, 'dagger')).toBe('arm64')
    expect(builderArchitecture('arm64', { ...NAMED, HANGAR_BUILDER: 'amd64' }, 'auto')).toBe('amd64')
  })

  it.each(['local', 'auto'] as const)('cannot be another than that of sandboxes here (%s)', (wish) => {
    const env = wish === 'local' ? { ...NAMED, HANGAR_BUILDER: 'arm64' } : { HANGAR_BUILDER: 'arm64' }
    expect(() => builderArchitecture('amd64', env, wish)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "HANGAR_BUILDER is 'arm64', and sandboxes on this machine run amd64",
        hint: expect.stringContaining('name an engine on a machine that is arm64'),
      }),
    )
  })

  it('has to be one that there is a toolchain for', () => {
    expect(() => builderArchitecture('amd64', { HANGAR_BUILDER: 'riscv64' }, 'dagger')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "HANGAR_BUILDER is 'riscv64', wanted the engine's architecture: amd64 or arm64",
      }),
    )
  })
})
