import { describe, expect, it } from 'vitest'
import type { Derivation } from '../../../../images/derivation.ts'
import type { LayerContext } from '../../../../images/layers/layer-recipe.ts'
import { type NativeKit, nativeBlocks, trybootModule } from '../../../../images/layers/native/recipe.ts'
import { derivation, lockedPackage } from '../../../helpers/derivation.ts'

const LAYER_CONTEXT: LayerContext = {
  builder: 'amd64',
  target: 'arm64',
  toolchain: derivation().toolchain,
  steps: {},
}

/** The lock's packages of a kernel, and of the headers and Kbuild of the same or of others. */
function kit(kernel: string, headers = kernel, kbuild = kernel): NativeKit {
  const packages = (release: string, names: readonly string[]) =>
    names.map((name) => lockedPackage(name, { version: `${release}-1` }))
  return {
    kernel: packages(kernel, ['linux-image-arm64', `linux-image-${kernel}-arm64`]),
    target: packages(headers, [
      ...['musl', 'musl-dev', 'linux-headers-arm64', `linux-headers-${headers}-arm64`],
      ...[`linux-headers-${headers}-common`, `linux-kbuild-${headers}`],
    ]),
    cross: packages(kbuild, ['make', 'linux-headers-amd64', 'linux-base-amd64', `linux-kbuild-${kbuild}`]),
    sources: {
      'blocks/main.c': 'int main',
      'blocks/blocks.h': '',
      'tryboot-module/Kbuild': '',
      'tryboot-module/hangar_tryboot.c': '',
    },
  }
}

const debsOf = ({ inputs }: Derivation) => Object.keys(inputs).filter((path) => path.startsWith('debs/'))
const sourcesOf = ({ inputs }: Derivation) => Object.keys(inputs).filter((path) => path.startsWith('flash/'))

describe('what is compiled for the device', () => {
  it('reads its own sources, and of the packages what it is compiled against alone', () => {
    const blocks = nativeBlocks(LAYER_CONTEXT, kit('7.3.4'))
    expect(sourcesOf(blocks)).toEqual(['overlays/device/blocks/main.c', 'overlays/device/blocks/blocks.h'])
    expect(debsOf(blocks)).toEqual(['debs/musl-dev_arm64.deb'])
    const module = trybootModule(LAYER_CONTEXT, kit('7.3.4'))
    expect(sourcesOf(module)).toEqual([
      'overlays/device/tryboot-module/Kbuild',
      'overlays/device/tryboot-module/hangar_tryboot.c',
    ])
    expect(debsOf(module)).toEqual([
      'debs/linux-headers-arm64_arm64.deb',
      'debs/linux-headers-7.3.4-arm64_arm64.deb',
      'debs/linux-headers-7.3.4-common_arm64.deb',
    ])
  })

  it('is compiled on the builder, without the headers of the builder’s own kernel', () => {
    const { system, toolchain } = trybootModule(LAYER_CONTEXT, kit('7.3.4'))
    expect(system).toBe('amd64')
    expect(toolchain.packages.map((item) => item.package)).toEqual(['make', 'linux-kbuild-7.3.4'])
  })

  it('is told the release of the locked kernel', () => {
    expect(trybootModule(LAYER_CONTEXT, kit('7.3.4')).command.at(-1)).toBe('7.3.4-arm64')
  })

  it.each([
    ['headers', kit('7.3.4', '7.3.5')],
    ['Kbuild', kit('7.3.4', '7.3.4', '7.3.5')],
  ])('is refused with %s of another kernel, saying what the lock has', (_what, given) => {
    const making = () => trybootModule(LAYER_CONTEXT, given)
    expect(making).toThrow('the lock has kernel 7.3.4-arm64 (7.3.4-1)')
    expect(making).toThrow('7.3.5')
    expect(making).toThrow(
      expect.objectContaining({ code: 'lock', hint: expect.stringContaining('npm run lock -- --update') }),
    )
  })

  it('is refused where the lock has two kernels or none', () => {
    const two = kit('7.3.4')
    const both = { ...two, kernel: [...two.kernel, lockedPackage('linux-image-7.3.5-arm64')] }
    expect(() => trybootModule(LAYER_CONTEXT, both)).toThrow('found 2')
    expect(() => trybootModule(LAYER_CONTEXT, { ...two, kernel: [] })).toThrow('found 0')
  })
})
