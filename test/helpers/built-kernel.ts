import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAssets } from '../../builder/assets.ts'
import { readLock } from '../../builder/lock/file.ts'
import { localRunner } from '../../builder/runners/local.ts'
import { parseDeviceTree, type TreeNode } from '../../flash/vm/device-tree.ts'
import type { Board } from '../../images/board.ts'
import { type Derivation, derivationDigest, type Toolchain } from '../../images/derivation.ts'
import { lockedPackages } from '../../images/lock.ts'
import { kernelLayer } from '../../images/recipes/kernel.ts'
import { KERNEL } from '../../images/sets.ts'
import { compile } from './compile.ts'
import { listReporter } from './reporter.ts'
import { PROJECT, storeWithToolchain } from './toolchain.ts'

/** Which module takes devices of a name: a pattern as in `modules.alias`. */
export interface Alias {
  readonly pattern: string
  readonly module: string
}

/** What the locked kernel brings to a board. */
export interface BuiltKernel {
  /** Name in the boot file system -> the tree's root. */
  readonly trees: ReadonlyMap<string, TreeNode>
  /** Drivers inside the kernel itself. */
  readonly builtIn: readonly Alias[]
  /** Modules of the layer. */
  readonly layer: readonly Alias[]
  /** Modules that the initramfs loads, in that order. */
  readonly loaded: readonly string[]
}

/** The kernel layer of the lock's packages, as every image has it: built, or taken from the store. */
export async function builtKernel(board: Board): Promise<BuiltKernel> {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const kernel = await kernelDerivation(board, toolchain)
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
  }
}

async function kernelDerivation(board: Board, toolchain: Toolchain): Promise<Derivation> {
  compile(PROJECT)
  const { steps } = readAssets(PROJECT)
  const lock = await readLock(join(PROJECT, 'images/debian.lock.json'))
  const packages = lockedPackages(lock, { set: KERNEL, architecture: board.architecture })
  if (packages === undefined) throw new Error('the lock holds no kernel: npm run lock')
  return kernelLayer({ builder: toolchain.architecture, target: board.architecture, toolchain, steps }, board, packages)
}

/** The lists inside the layer and the initramfs' modules, taken out of the very files that images are made of. */
function listsOf(kernel: Derivation): Derivation {
  const script = [
    'fsck.erofs --extract=/build/layer --no-preserve /in/layer',
    'cp /build/layer/usr/lib/modules/*/modules.builtin.modinfo /out/builtin',
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

/** `alias PATTERN MODULE` lines. */
function parseAliases(text: string): Alias[] {
  return [...text.matchAll(/^alias (\S+) (\S+)$/gm)].map(([, pattern = '', module = '']) => ({ pattern, module }))
}

/** `MODULE.alias=PATTERN`, each ended by a zero. */
function parseModinfo(text: string): Alias[] {
  return text.split('\0').flatMap((item) => {
    const [, module, pattern] = /^([^.=]+)\.alias=(.*)$/s.exec(item) ?? []
    return module === undefined || pattern === undefined ? [] : [{ pattern, module }]
  })
}
