import { readFile } from 'node:fs/promises'
import type { Runner } from '../../builder/runners/runner.ts'
import type { Store } from '../../builder/store/store.ts'
import { type Derivation, derivationDigest, type Toolchain } from '../../images/derivation.ts'
import { type Listed, listReporter } from './reporter.ts'

export interface RunnerUnderTest {
  readonly runner: Runner
  readonly store: Store
  readonly toolchain: Toolchain
}

/** Runs one derivation. Returns the texts of its output, and how each step ended. */
export async function realise(
  { runner, store, toolchain }: RunnerUnderTest,
  given: Derivation,
  reporter: Listed = listReporter(),
) {
  const wanted = { ...given, system: toolchain.architecture, toolchain, inputs: withToolchain(given, toolchain) }
  const output = (await runner.realise([wanted], reporter)).get(derivationDigest(wanted)) ?? {}
  const texts = Object.entries(output).map(
    async ([file, { digest }]) => [file, await readFile(store.path(digest), 'utf8')] as const,
  )
  return { outputs: Object.fromEntries(await Promise.all(texts)) as Record<string, string>, ended: reporter.ended }
}

export function realiseAll(
  { runner, toolchain }: RunnerUnderTest,
  given: readonly Derivation[],
  reporter: Listed,
): Promise<unknown> {
  return runner.realise(
    given.map((each) => ({ ...each, system: toolchain.architecture, toolchain })),
    reporter,
  )
}

function withToolchain(given: Derivation, toolchain: Toolchain): Derivation['inputs'] {
  const inputs = Object.entries(given.inputs).map(([path, input]) => {
    if (!('from' in input)) return [path, input] as const
    const from = {
      ...input.from,
      system: toolchain.architecture,
      toolchain,
      inputs: withToolchain(input.from, toolchain),
    }
    return [path, { ...input, from }] as const
  })
  return Object.fromEntries(inputs)
}
