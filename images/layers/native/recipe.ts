import { UserError } from '../../../errors.ts'
import type { Derivation, Input, Toolchain } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { OwnProgram } from '../../sbom/part.ts'
import { debs, type LayerContext } from '../layer-recipe.ts'

/** What our own programs for the device are made with. */
export interface NativeKit {
  /** The set `cross`, of the builder's architecture. */
  readonly cross: readonly LockedPackage[]
  /** The set `native`, of the target's. */
  readonly target: readonly LockedPackage[]
  /** The set `kernel`, for which modules are made. */
  readonly kernel: readonly LockedPackage[]
  /** Path below `overlays/device` -> source. */
  readonly sources: Readonly<Record<string, string>>
}

const PREFIX = 'aarch64-linux-gnu-'

// A shell and not a step of ours: compiling is one command, and Node would more than double what this toolchain weighs.
const PREPARE = `mkdir bin
# The compiler of an arm64 builder knows these without a prefix.
for tool in as ld; do ln -s "/usr/bin/${PREFIX}$tool" "bin/$tool"; done
PATH=/build/bin:$PATH
unpack() {
  member=$(${PREFIX}ar t "$1" | grep '^data[.]tar')
  ${PREFIX}ar p "$1" "$member" >"$member"
  tar -x -f "$member" --keep-directory-symlink -C "$2" --exclude='./usr/share/*' --exclude='*/arch/[b-z]*'
  rm "$member"
}
`

// Nothing of gcc's own libraries: `blocks` is written so that it needs none. On both builders the compiler is of the
// same version, but what it takes for granted may differ: everything that shows in the output is said here.
const BLOCKS = `${PREPARE}
unpack /in/debs/musl-dev_arm64.deb /build
lib=usr/lib/aarch64-linux-musl
${PREFIX}gcc-14 -std=gnu11 -O2 -Wall -Wextra -Werror -nostdinc -isystem usr/include/aarch64-linux-musl \\
  -march=armv8-a -mno-outline-atomics -fno-pie -fstack-protector-strong -fno-asynchronous-unwind-tables -fno-ident \\
  -ffile-prefix-map=/in/=./ -nostdlib -static -no-pie -mno-fix-cortex-a53-843419 \\
  -Wl,--build-id=none,-z,noexecstack,-s \\
  -o /out/blocks $lib/crt1.o $lib/crti.o /in/overlays/device/blocks/*.c $lib/libc.a $lib/crtn.o
`

// Debug information would be stripped, and BTF would need pahole; a build id would be of what was stripped.
const TRYBOOT = `${PREPARE}
for deb in /in/debs/*; do unpack "$deb" /; done
mkdir module
cp /in/overlays/device/tryboot-module/* module/
make -C "/usr/src/linux-headers-$1" M=/build/module ARCH=arm64 CROSS_COMPILE=${PREFIX} CC=${PREFIX}gcc-14 \\
  CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= LDFLAGS_MODULE=--build-id=none modules
${PREFIX}strip --strip-debug -o /out/hangar_tryboot.ko module/hangar_tryboot.ko
`

/** `blocks`: the static program that moves and checks an image's bytes on the device. */
export function nativeBlocks(context: LayerContext, kit: NativeKit): Derivation {
  return compiled(context, kit, {
    name: 'native-blocks',
    inputs: { ...debs(musl(kit)), ...sourcesBelow(kit, 'blocks/') },
    script: BLOCKS,
    args: [],
  })
}

/** `hangar_tryboot.ko`, for the locked kernel and no other. */
export function trybootModule(context: LayerContext, kit: NativeKit): Derivation {
  const release = kernelRelease(kit)
  const headers = kit.target.filter((item) => item.package.startsWith('linux-headers-'))
  return compiled(context, kit, {
    name: 'tryboot-module',
    inputs: { ...debs(headers), ...sourcesBelow(kit, 'tryboot-module/') },
    script: TRYBOOT,
    args: [release],
  })
}

/** Both as the SBOM has them, with the licences that their sources state. */
export function ownPrograms(kit: NativeKit): Record<'blocks' | 'tryboot', OwnProgram> {
  return {
    blocks: { name: 'blocks', licence: 'MIT', linked: musl(kit) },
    tryboot: { name: 'hangar_tryboot.ko', licence: 'GPL-2.0-only', linked: [] },
  }
}

function musl({ target }: NativeKit): LockedPackage[] {
  return target.filter((item) => item.package === 'musl-dev')
}

interface Compilation {
  readonly name: string
  readonly inputs: Readonly<Record<string, Input>>
  readonly script: string
  readonly args: readonly string[]
}

function compiled(context: LayerContext, kit: NativeKit, { name, inputs, script, args }: Compilation): Derivation {
  return {
    name,
    system: context.builder,
    toolchain: compiler(context, kit),
    inputs,
    command: ['sh', '-ec', script, name, ...args],
    env: {},
    privilege: 'default',
  }
}

/** Without the headers of the builder's own kernel, which came along with Kbuild's programs. */
function compiler({ builder }: LayerContext, { cross }: NativeKit): Toolchain {
  const packages = cross.filter((item) => !/^linux-(base|headers)-/.test(item.package))
  return { name: 'cross', architecture: builder, packages }
}

function sourcesBelow({ sources }: NativeKit, directory: string): Record<string, Input> {
  const found = Object.entries(sources).filter(([path]) => path.startsWith(directory))
  return Object.fromEntries(found.map(([path, text]): [string, Input] => [`overlays/device/${path}`, { bytes: text }]))
}

/** `7.3.4+deb13-arm64`. A module of another kernel's headers would not load, or worse, would. */
function kernelRelease({ kernel, target, cross }: NativeKit): string {
  const [image, headers, kbuild] = [
    one(kernel, /^linux-image-(\d.*)$/),
    one(target, /^linux-headers-(\d.*)(?<!-common)$/),
    one(cross, /^linux-kbuild-(\d.*)$/),
  ]
  if (image.version === headers.version && image.version === kbuild.version && image.name === headers.name)
    return image.name
  throw new UserError(
    'lock',
    `the module for tryboot needs headers of the very kernel: the lock has kernel ${image.name} (${image.version}), headers of ${headers.name} (${headers.version}) and Kbuild of ${kbuild.name} (${kbuild.version})`,
    { hint: 'bring them together: npm run lock -- --update; while Debian has not built all of them, try again later' },
  )
}

/** The one package whose name holds a version, and that version. */
function one(packages: readonly LockedPackage[], pattern: RegExp): { readonly name: string; readonly version: string } {
  const found = packages.flatMap((item) => {
    const name = pattern.exec(item.package)?.[1]
    return name === undefined ? [] : [{ name, version: item.version }]
  })
  if (found.length === 1 && found[0] !== undefined) return found[0]
  throw new UserError('lock', `wanted one package ${pattern} in the lock, found ${found.length}`, {
    hint: 'resolve anew: npm run lock -- --update',
  })
}
