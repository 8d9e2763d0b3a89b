import type { Architecture } from '../architecture.ts'
import type { Derivation, Input, Privilege, Toolchain } from '../derivation.ts'
import { EROFS_OPTIONS } from '../erofs.ts'
import type { LockedPackage } from '../lock.ts'
import { PRUNING } from './pruning.ts'

/** What every recipe is given. */
export interface LayerContext {
  /** The machine that builds. */
  readonly builder: Architecture
  /** The machine that is built for. */
  readonly target: Architecture
  readonly toolchain: Toolchain
  /** Name of a step -> its program. */
  readonly steps: Readonly<Record<string, string>>
}

export interface LayerRecipe {
  readonly name: string
  readonly step: string
  readonly args?: readonly string[]
  readonly inputs: Readonly<Record<string, Input>>
  readonly privilege?: Privilege
}

/** A derivation that runs one of our steps, with Debian's node from the toolchain. */
export function stepDerivation(context: Omit<LayerContext, 'target'>, recipe: LayerRecipe): Derivation {
  const program = context.steps[recipe.step]
  if (program === undefined)
    throw new Error(`no step '${recipe.step}', there are: ${Object.keys(context.steps).join(', ')}`)
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

/** Packages as files below `/in/debs`, by names that sort the same on every machine. */
export function debs(packages: readonly LockedPackage[]): Record<string, Input> {
  return Object.fromEntries(packages.map((item) => [`debs/${item.package}_${item.architecture}.deb`, { locked: item }]))
}

export function json(value: unknown): Input {
  return { bytes: JSON.stringify(value) }
}

export function layerSettings(): Record<string, Input> {
  return { 'erofs.json': json(EROFS_OPTIONS), 'prune.json': json(PRUNING) }
}
