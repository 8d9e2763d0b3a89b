import type { Derivation, Input, Toolchain } from '../derivation.ts'
import type { LockedPackage } from '../lock.ts'
import type { LayerContext } from './layer-recipe.ts'

/** Compilers, headers and sources of hangar's own programs for the device. */
export interface NativeKit {
  /** The package set `cross`, for the builder's architecture. */
  readonly cross: readonly LockedPackage[]
  /** The package set `native`, for the target's architecture. */
  readonly target: readonly LockedPackage[]
  /** The package set `kernel`, with the kernel that needs the modules. */
  readonly kernel: readonly LockedPackage[]
  /** The sources: path below `overlays/device` -> text. */
  readonly sources: Readonly<Record<string, string>>
}

/** The prefix of the cross compiler's programs. */
export const PREFIX = 'aarch64-linux-gnu-'

// These derivations run a shell, not a step in JavaScript: compiling is one command, and node would more than double the
// size of the toolchain.
const PREPARE = `mkdir bin
# On an arm64 builder, gcc calls these programs without a prefix.
for tool in as ld; do ln -s "/usr/bin/${PREFIX}$tool" "bin/$tool"; done
PATH=/build/bin:$PATH
unpack() {
  member=$(${PREFIX}ar t "$1" | grep '^data[.]tar')
  ${PREFIX}ar p "$1" "$member" >"$member"
  tar -x -f "$member" --keep-directory-symlink -C "$2" --exclude='./usr/share/*' --exclude='*/arch/[b-z]*'
  rm "$member"
}
`

export interface Compilation {
  readonly name: string
  readonly inputs: Readonly<Record<string, Input>>
  /** The shell commands of the script. They can call `unpack DEB DIRECTORY`. */
  readonly script: string
  readonly args?: readonly string[]
}

/** A derivation that runs a shell script with the cross compiler. */
export function compilation(
  { builder }: LayerContext,
  kit: NativeKit,
  { name, inputs, script, args = [] }: Compilation,
): Derivation {
  return {
    name,
    system: builder,
    toolchain: compilerOf(builder, kit),
    inputs,
    command: ['sh', '-ec', PREPARE + script, name, ...args],
    env: {},
    privilege: 'default',
  }
}

/** Leaves out the kernel headers of the builder's own architecture: they are in the set only because Kbuild's programs need them. */
function compilerOf(builder: Toolchain['architecture'], { cross }: NativeKit): Toolchain {
  const packages = cross.filter((item) => !/^linux-(base|headers)-/.test(item.package))
  return { name: 'cross', architecture: builder, packages }
}

/** The sources below a directory of `overlays/device`, as inputs. */
export function sourcesBelow({ sources }: NativeKit, directory: string): Record<string, Input> {
  const found = Object.entries(sources).filter(([path]) => path.startsWith(directory))
  return Object.fromEntries(found.map(([path, text]): [string, Input] => [`overlays/device/${path}`, { bytes: text }]))
}
