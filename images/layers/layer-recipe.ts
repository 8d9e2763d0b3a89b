import type { Architecture } from '../architecture.ts'
import type { Derivation, Input, Privilege, Toolchain } from '../derivation.ts'
import type { LockedPackage } from '../lock.ts'
import { PRUNING } from './pruning.ts'

/** The inputs that all recipes share. */
export interface LayerContext {
  /** Architecture of the builder. */
  readonly builder: Architecture
  /** Architecture of the host. */
  readonly target: Architecture
  readonly toolchain: Toolchain
  /** Name of a step -> its program, bundled. */
  readonly steps: Readonly<Record<string, string>>
}

export interface LayerRecipe {
  readonly name: string
  readonly step: string
  readonly args?: readonly string[]
  readonly inputs: Readonly<Record<string, Input>>
  readonly privilege?: Privilege
}

/** A derivation that runs a step with Debian's node from the toolchain. */
export function stepDerivation(context: Omit<LayerContext, 'target'>, recipe: LayerRecipe): Derivation {
  const program = context.steps[recipe.step]
  if (program === undefined)
    throw new Error(`unknown step '${recipe.step}', known steps: ${Object.keys(context.steps).join(', ')}`)
  return {
    name: recipe.name,
    system: context.builder,
    toolchain: context.toolchain,
    inputs: { 'step.mjs': { bytes: program }, ...recipe.inputs },
    command: ['node', '/in/step.mjs', ...(recipe.args ?? [])],
    env: {},
    privilege: recipe.privilege ?? 'default',
  }
}

/** Packages as inputs below `/in/debs`. The file names give the same order on every machine. */
export function debs(packages: readonly LockedPackage[]): Record<string, Input> {
  return Object.fromEntries(packages.map((item) => [`debs/${item.package}_${item.architecture}.deb`, { locked: item }]))
}

export function json(value: unknown): Input {
  return { bytes: JSON.stringify(value) }
}

/** mkfs.erofs options of every layer, chosen by the table in `docs/decisions/0001-layer-compression.md`. */
const EROFS_OPTIONS = ['-zlz4hc,6', '-C32768']

/** Inputs of every step that packs a layer. */
export function layerSettings(): Record<string, Input> {
  return { 'erofs.json': json(EROFS_OPTIONS), 'prune.json': json(PRUNING) }
}
