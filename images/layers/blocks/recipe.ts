import type { Derivation } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { OwnProgram } from '../../sbom/part.ts'
import { compilation, type NativeKit, PREFIX, sourcesBelow } from '../cross-compile.ts'
import { debs, type LayerContext } from '../layer-recipe.ts'

// `blocks` needs no library of gcc. Both builders have the same gcc version, but its defaults can differ between amd64
// and arm64, so the command names every option that changes the output.
const SCRIPT = `
unpack /in/debs/musl-dev_arm64.deb /build
lib=usr/lib/aarch64-linux-musl
${PREFIX}gcc-14 -std=gnu11 -O2 -Wall -Wextra -Werror -nostdinc -isystem usr/include/aarch64-linux-musl \\
  -march=armv8-a -mno-outline-atomics -fno-pie -fstack-protector-strong -fno-asynchronous-unwind-tables -fno-ident \\
  -ffile-prefix-map=/in/=./ -nostdlib -static -no-pie -mno-fix-cortex-a53-843419 \\
  -Wl,--build-id=none,-z,noexecstack,-s \\
  -o /out/blocks $lib/crt1.o $lib/crti.o /in/overlays/device/blocks/*.c $lib/libc.a $lib/crtn.o
`

/** `blocks`: the static program that copies and verifies the blocks of an image on the device. */
export function nativeBlocks(context: LayerContext, kit: NativeKit): Derivation {
  return compilation(context, kit, {
    name: 'native-blocks',
    inputs: { ...debs(muslOf(kit)), ...sourcesBelow(kit, 'blocks/') },
    script: SCRIPT,
  })
}

/** `blocks` for the SBOM. The licence is the one in its sources. */
export function blocksProgram(kit: NativeKit): OwnProgram {
  return { name: 'blocks', licence: 'MIT', linked: muslOf(kit) }
}

function muslOf({ target }: NativeKit): LockedPackage[] {
  return target.filter((item) => item.package === 'musl-dev')
}
