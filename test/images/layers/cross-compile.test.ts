import { describe, expect, it } from 'vitest'
import type { Derivation } from '../../../images/derivation.ts'
import { nativeBlocks } from '../../../images/layers/blocks/recipe.ts'
import type { NativeKit } from '../../../images/layers/cross-compile.ts'
import type { LayerContext } from '../../../images/layers/layer-recipe.ts'
import { trybootModule } from '../../../images/layers/tryboot-module/recipe.ts'
import { derivation, lockedPackage } from '../../helpers/derivation.ts'

const LAYER_CONTEXT: LayerContext = {
  builder: 'amd64',
  target: 'arm64',
  toolchain: derivation().toolchain,
  steps: {},
}

/** Locked packages of a kernel, with headers and Kbuild of the same or another version. */
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
const sourcesOf = ({ inputs }: Derivation) => Object.keys(inputs).filter((path) => path.startsWith('overlays/'))

describe('compiling for the device', () => {
  it('the compile step takes its own sources, and only the packages that it compiles against', () => {
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

  it('the compile step runs on the builder, without the kernel headers of the builder’s architecture', () => {
    const { system, toolchain } = trybootModule(LAYER_CONTEXT, kit('7.3.4'))
    expect(system).toBe('amd64')
    expect(toolchain.packages.map((item) => item.package)).toEqual(['make', 'linux-kbuild-7.3.4'])
  })

  it('the compile step passes the release of the locked kernel to the script', () => {
    expect(trybootModule(LAYER_CONTEXT, kit('7.3.4')).command.at(-1)).toBe('7.3.4-arm64')
  })

  it.each([
    ['headers', kit('7.3.4', '7.3.5')],
    ['Kbuild', kit('7.3.4', '7.3.4', '7.3.5')],
  ])('refuses %s of another kernel and names the locked versions', (_what, given) => {
    const compiling = () => trybootModule(LAYER_CONTEXT, given)
    expect(compiling).toThrow('the lock has kernel 7.3.4-arm64 (7.3.4-1)')
    expect(compiling).toThrow('7.3.5')
    expect(compiling).toThrow(
      expect.objectContaining({ code: 'lock', hint: expect.stringContaining('npm run lock -- --update') }),
    )
  })

  it('refuses a lock with two kernels or none', () => {
    const two = kit('7.3.4')
    const both = { ...two, kernel: [...two.kernel, lockedPackage('linux-image-7.3.5-arm64')] }
    expect(() => trybootModule(LAYER_CONTEXT, both)).toThrow('the lock has 2 packages that match')
    expect(() => trybootModule(LAYER_CONTEXT, { ...two, kernel: [] })).toThrow('the lock has 0 packages that match')
  })
})
