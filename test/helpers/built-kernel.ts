import { readFileSync } from 'node:fs'
import { localRunner } from '../../builder/runners/local.ts'
import { parseDeviceTree, type TreeNode } from '../../flash/vm/device-tree.ts'
import type { Board } from '../../images/board.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { kernelLayer } from '../../images/layers/kernel/recipe.ts'
import { trybootModule } from '../../images/layers/tryboot-module/recipe.ts'
import { nativeKit } from './built-native.ts'
import { compile } from './compile.ts'
import { listReporter } from './reporter.ts'
import { PROJECT, storeWithToolchain, type WithToolchain } from './toolchain.ts'

/** A pattern of device names, as in `modules.alias`, and the module for them. */
export interface Alias {
  readonly pattern: string
  readonly module: string
}

/** Contents of the locked kernel for a board. */
export interface BuiltKernel {
  /** Name in the boot file system -> root of the device tree. */
  readonly trees: ReadonlyMap<string, TreeNode>
  /** Drivers inside the kernel itself. */
  readonly builtIn: readonly Alias[]
  /** Modules of the layer. */
  readonly layer: readonly Alias[]
  /** Modules that the initramfs loads, in that order. */
  readonly loaded: readonly string[]
  /** Modules that depmod found in the layer, as paths below the kernel's directory. */
  readonly files: readonly string[]
}

/** The kernel layer of the lock's packages, built or from the store. */
export async function builtKernel(board: Board): Promise<BuiltKernel> {
  const given = await storeWithToolchain()
  const { store, fetch } = given
  const kernel = await kernelDerivation(board, given)
  const lists = listsOf(kernel)
  const outputs = await localRunner({ store, fetch }).realise([kernel, lists], listReporter())
  const read = (from: Derivation, file: string) => {
    const found = outputs.get(derivationDigest(from))?.[file]
    if (found === undefined) throw new Error(`derivation '${from.name}' has no '${file}'`)
    return readFileSync(store.path(found.digest))
  }
  return {
    trees: new Map(Object.keys(board.deviceTrees).map((name) => [name, parseDeviceTree(read(kernel, name)).root])),
    builtIn: parseModinfo(read(lists, 'builtin').toString()),
    layer: parseAliases(read(kernel, 'modules.alias').toString()),
    loaded: read(lists, 'load').toString().trim().split('\n'),
    files: [
      ...read(lists, 'dep')
        .toString()
        .matchAll(/^([^:]+):/gm),
    ].map(([, path = '']) => path),
  }
}

async function kernelDerivation(board: Board, given: WithToolchain): Promise<Derivation> {
  compile(PROJECT)
  const { context, kit } = await nativeKit(given)
  return kernelLayer(context, board, { packages: kit.kernel, tryboot: trybootModule(context, kit) })
}

/** A derivation that extracts the lists from the kernel layer and from the initramfs' modules. */
function listsOf(kernel: Derivation): Derivation {
  const script = [
    'fsck.erofs --extract=/build/layer --no-preserve /in/layer',
    'cp /build/layer/usr/lib/modules/*/modules.builtin.modinfo /out/builtin',
    'cp /build/layer/usr/lib/modules/*/modules.dep /out/dep',
    'tar -x -O -f /in/modules ./load > /out/load',
  ]
  return {
    ...kernel,
    name: 'kernel-lists',
    inputs: {
      layer: { from: kernel, file: 'layer.erofs' },
      modules: { from: kernel, file: 'initramfs-modules.tar' },
    },
    command: ['sh', '-ec', script.join('\n')],
  }
}

/** Parses lines of the form `alias PATTERN MODULE`. */
function parseAliases(text: string): Alias[] {
  return [...text.matchAll(/^alias (\S+) (\S+)$/gm)].map(([, pattern = '', module = '']) => ({ pattern, module }))
}

/** Parses entries of the form `MODULE.alias=PATTERN`, each with a zero byte after it. */
function parseModinfo(text: string): Alias[] {
  return text.split('\0').flatMap((item) => {
    const [, module, pattern] = /^([^.=]+)\.alias=(.*)$/s.exec(item) ?? []
    return module === undefined || pattern === undefined ? [] : [{ pattern, module }]
  })
}
