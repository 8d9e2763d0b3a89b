import type { Derivation, Input } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { FileTree } from '../../tree.ts'
import { debs, json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'

/** A container's layer: a containers-storage of one image, made of packages that are only unpacked, and a tree over them. */
export function containerLayer(
  context: LayerContext,
  service: string,
  packages: readonly LockedPackage[],
  tree: FileTree,
): Derivation {
  return stepDerivation(context, {
    name: `container-${service}`,
    step: 'container',
    args: [service, context.target],
    inputs: { ...debs(packages), 'tree.json': json(storedTree(tree)), ...layerSettings() },
  })
}

/** The `host` layer: what overlays say of one host, and programs that were compiled, by their paths on the host. */
export function hostLayer(
  context: LayerContext,
  tree: FileTree,
  programs: Readonly<Record<string, Input>>,
): Derivation {
  const laid = Object.entries(programs).map(([path, input]): [string, Input] => [`programs${path}`, input])
  return stepDerivation(context, {
    name: 'host',
    step: 'host',
    args: ['host'],
    inputs: { 'tree.json': json(storedTree(tree)), ...Object.fromEntries(laid), ...layerSettings() },
  })
}

/** As `steps/parts/tree.ts` reads it: sorted, bytes in base64. */
function storedTree(tree: FileTree): Record<string, unknown> {
  const stored = Object.entries(tree).map(([path, entry]) => {
    if (entry.kind !== 'file') return [path, entry] as const
    const { content, ...rest } = entry
    return [
      path,
      typeof content === 'string'
        ? { ...rest, text: content }
        : { ...rest, base64: Buffer.from(content).toString('base64') },
    ] as const
  })
  return Object.fromEntries(stored.sort(([a], [b]) => (a < b ? -1 : 1)))
}
