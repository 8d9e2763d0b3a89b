import { describe, expect, it, vi } from 'vitest'
import { describePlatform } from '../../contracts/platform.ts'
import { fakePlatform, smallRouterPlan } from '../../helpers/fake-platform.ts'
import { smallPiPlan } from '../../helpers/small-lab.ts'
import { importsOf, sourceFiles } from '../../helpers/source-files.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

/** Adds the row of a new platform to the registry. No other file knows the fake platform. */
vi.mock('../../../builder/platforms/registry.ts', async (original) => {
  const registry = await original<typeof import('../../../builder/platforms/registry.ts')>()
  const platformNamed: typeof registry.platformNamed = (name) =>
    name === 'fake' ? (fakePlatform as never) : registry.platformNamed(name)
  return { ...registry, platformNamed }
})

describePlatform({ name: 'pi', plan: smallPiPlan, board: 'raspberry-pi-5' })
describePlatform({ name: 'fake', plan: smallRouterPlan, board: 'router' })

describe('the registry of platforms', () => {
  it('refuses an unknown platform', async () => {
    const { platformNamed } = await import('../../../builder/platforms/registry.ts')
    expect(() => platformNamed('amiga')).toThrow("unknown platform 'amiga', wanted one of: pi")
  })

  it('no file outside a platform imports it, except for the registry', () => {
    const inside = /^builder\/platforms\/[^/]+\//
    const imports = sourceFiles(PROJECT)
      .filter(({ path }) => !path.startsWith('test/') && !inside.test(path))
      .flatMap(importsOf)
    expect(imports.filter(({ to }) => inside.test(to)).map(({ from }) => from)).toEqual([
      'builder/platforms/registry.ts',
    ])
  })

  it('lock, store, runners, generations, publish and cli contain no file names of the Pi', () => {
    const shared = /^(builder\/(lock|store|runners|generations|publish|export)\/|builder\/[^/]+\.ts$)/
    const named = sourceFiles(PROJECT).filter(({ path, text }) => shared.test(path) && PI_FILES.test(text))
    expect(named.map(({ path }) => path)).toEqual([])
  })
})

const PI_FILES = /'(slot\.img|boot\.img|cmdline\.txt|config\.txt|kernel_2712\.img)'/
