import { describe, expect, it } from 'vitest'
import { builderArchitecture } from '../../../builder/runners/architecture.ts'

const NAMED = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: 'tcp://builder:8080' }

describe('builderArchitecture', () => {
  it('every runner builds on the architecture of this machine by default', () => {
    expect(builderArchitecture('arm64', {}, 'local')).toBe('arm64')
    expect(builderArchitecture('amd64', { ...NAMED, HANGAR_BUILDER: '' }, 'auto')).toBe('amd64')
    expect(builderArchitecture('amd64', { HANGAR_BUILDER: 'amd64' }, 'local')).toBe('amd64')
  })

  it('HANGAR_BUILDER sets the architecture of a named engine', () => {
    expect(builderArchitecture('amd64', { HANGAR_BUILDER: 'arm64' }, 'dagger')).toBe('arm64')
    expect(builderArchitecture('arm64', { ...NAMED, HANGAR_BUILDER: 'amd64' }, 'auto')).toBe('amd64')
  })

  it.each(['local', 'auto'] as const)(
    'refuses HANGAR_BUILDER of another architecture for sandboxes on this machine (%s)',
    (setting) => {
      const env = setting === 'local' ? { ...NAMED, HANGAR_BUILDER: 'arm64' } : { HANGAR_BUILDER: 'arm64' }
      expect(() => builderArchitecture('amd64', env, setting)).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: "HANGAR_BUILDER is 'arm64', but sandboxes on this machine run amd64",
          hint: expect.stringContaining('to an engine on arm64'),
        }),
      )
    },
  )

  it('refuses an architecture without a toolchain', () => {
    expect(() => builderArchitecture('amd64', { HANGAR_BUILDER: 'riscv64' }, 'dagger')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: "HANGAR_BUILDER is 'riscv64', wanted the architecture of the engine: amd64 or arm64",
      }),
    )
  })
})
