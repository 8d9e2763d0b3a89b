import { UserError } from '../../../errors.ts'
import type { Derivation } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { OwnProgram } from '../../sbom/part.ts'
import { compilation, type NativeKit, PREFIX, sourcesBelow } from '../cross-compile.ts'
import { debs, type LayerContext } from '../layer-recipe.ts'

// Builds without debug information, which strip would remove; without BTF, which needs pahole; and without a build id,
// which would identify the unstripped file.
const SCRIPT = `
for deb in /in/debs/*; do unpack "$deb" /; done
mkdir module
cp /in/overlays/device/tryboot-module/* module/
make -C "/usr/src/linux-headers-$1" M=/build/module ARCH=arm64 CROSS_COMPILE=${PREFIX} CC=${PREFIX}gcc-14 \\
  CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= LDFLAGS_MODULE=--build-id=none modules
${PREFIX}strip --strip-debug -o /out/hangar_tryboot.ko module/hangar_tryboot.ko
`

/** `hangar_tryboot.ko`, for the locked kernel only. Throws if the lock's headers or Kbuild are of another kernel. */
export function trybootModule(context: LayerContext, kit: NativeKit): Derivation {
  const release = kernelRelease(kit)
  const headers = kit.target.filter((item) => item.package.startsWith('linux-headers-'))
  return compilation(context, kit, {
    name: 'tryboot-module',
    inputs: { ...debs(headers), ...sourcesBelow(kit, 'tryboot-module/') },
    script: SCRIPT,
    args: [release],
  })
}

/** `hangar_tryboot.ko` for the SBOM. The licence is the one in its sources. */
export const TRYBOOT_PROGRAM: OwnProgram = { name: 'hangar_tryboot.ko', licence: 'GPL-2.0-only', linked: [] }

/**
 * The kernel release of the headers: `7.3.4+deb13-arm64`. A kernel refuses a module that was built with other headers,
 * or accepts it and crashes.
 */
function kernelRelease({ kernel, target, cross }: NativeKit): string {
  const [image, headers, kbuild] = [
    versioned(kernel, /^linux-image-(\d.*)$/),
    versioned(target, /^linux-headers-(\d.*)(?<!-common)$/),
    versioned(cross, /^linux-kbuild-(\d.*)$/),
  ]
  if (image.version === headers.version && image.version === kbuild.version && image.name === headers.name)
    return image.name
  throw new UserError(
    'lock',
    `cannot build hangar_tryboot.ko: kernel, headers and Kbuild must have the same version, but the lock has kernel ${image.name} (${image.version}), headers ${headers.name} (${headers.version}) and Kbuild ${kbuild.name} (${kbuild.version})`,
    {
      hint: 'update the lock: npm run lock -- --update; if Debian has not built all three packages yet, try again later',
    },
  )
}

/** Finds the only package whose name matches. Returns its version, and the text that the pattern's group matches. */
function versioned(
  packages: readonly LockedPackage[],
  pattern: RegExp,
): { readonly name: string; readonly version: string } {
  const found = packages.flatMap((item) => {
    const name = pattern.exec(item.package)?.[1]
    return name === undefined ? [] : [{ name, version: item.version }]
  })
  if (found.length === 1 && found[0] !== undefined) return found[0]
  throw new UserError('lock', `the lock has ${found.length} packages that match ${pattern}, expected 1`, {
    hint: 'resolve the packages again: npm run lock -- --update',
  })
}
