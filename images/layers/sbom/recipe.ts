import type { Derivation, Input } from '../../derivation.ts'
import type { Part } from '../../sbom/part.ts'
import { STATEMENTS_FILE } from '../../sbom/statement.ts'
import { debs, json, type LayerContext, stepDerivation } from '../layer-recipe.ts'

export interface SbomParts {
  readonly parts: readonly Part[]
  /**
   * The sources of statements: layer or boot file -> the derivation that unpacks its packages and writes their
   * statements.
   */
  readonly unpacked: Readonly<Record<string, Derivation>>
  /** Our own programs: name -> input with the program. */
  readonly programs: Readonly<Record<string, Input>>
}

/**
 * The derivation of `rest.json`, the SBOM without its head. The step unpacks only the packages that our programs link
 * statically.
 */
export function sbomRest(context: LayerContext, { parts, unpacked, programs }: SbomParts): Derivation {
  const under = (directory: string, inputs: readonly (readonly [string, Input])[]) =>
    Object.fromEntries(inputs.map(([name, input]) => [`${directory}/${name}`, input]))
  return stepDerivation(context, {
    name: 'sbom',
    step: 'sbom',
    inputs: {
      'parts.json': json(parts),
      ...under(
        'stated',
        Object.entries(unpacked).map(([name, from]) => [`${name}.json`, { from, file: STATEMENTS_FILE }]),
      ),
      ...under('programs', Object.entries(programs)),
      ...debs(parts.flatMap((part) => part.programs.flatMap(({ linked }) => linked))),
    },
  })
}
