import type { Runner } from '../../builder/runners/runner.ts'
import type { SuiteIndex } from '../../builder/sources/debian/archive/packages.ts'
import { SUITES } from '../../builder/sources/debian/archive/suites.ts'
import { bootstrapSet } from '../../builder/sources/debian/resolve/bootstrap.ts'
import { catalogueOf } from '../../builder/sources/debian/resolve/catalogue.ts'
import type { Store } from '../../builder/store/store.ts'
import type { Architecture } from '../../images/architecture.ts'
import { parseParagraph } from '../../images/debian/control.ts'
import { packageIndex } from '../../images/debian/package-index.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'

export interface FakeApt extends Runner {
  /** The names of the derivations that ran, in order. */
  readonly ran: string[]
}

/**
 * Runs derivations of the solver without apt: reads the lists in their inputs, and resolves the requests in their commands
 * with `bootstrapSet`. A package named `impossible` has no solution.
 */
export function fakeApt(store: Store): FakeApt {
  const ran: string[] = []
  return {
    ran,
    async realise(wanted) {
      const outputs = wanted.map(async (derivation) => {
        ran.push(derivation.name)
        const { uris, problem } = answer(derivation)
        const files = Object.entries({ uris, problem }).map(
          async ([name, text]) => [name, { digest: await store.putBytes(text), size: text.length }] as const,
        )
        return [derivationDigest(derivation), Object.fromEntries(await Promise.all(files))] as const
      })
      return new Map(await Promise.all(outputs))
    },
  }
}

function answer(derivation: Derivation): { uris: string; problem: string } {
  const request = derivation.command.slice(4)
  const architecture = derivation.name.split(':').at(-1) as Architecture
  const indices = SUITES.map((suite): SuiteIndex => {
    const prefix = `lists/archives_${suite.archive}_dists_${suite.name}`
    const packages = packageIndex(Buffer.from(textOf(derivation, `${prefix}_main_binary-${architecture}_Packages`)))
    const fields = parseParagraph(textOf(derivation, `${prefix}_Release`))
    return { suite, packages, release: { suite, fields, date: '', time: 0, files: new Map() } }
  })
  try {
    if (request.includes('impossible')) throw new Error('E: impossible conflicts with itself')
    const set = { name: derivation.name, request, essential: 'left-out', assumed: [] } as const
    const chosen = bootstrapSet(set, catalogueOf(indices, architecture))
    const line = ({ archive, path }: (typeof chosen)[number]) => `'http://archives/${archive}/${path}' x.deb 1\n`
    return { uris: `Reading lists\n${chosen.map(line).join('')}`, problem: '' }
  } catch (error) {
    return { uris: '', problem: (error as Error).message }
  }
}

function textOf({ inputs, name }: Derivation, path: string): string {
  const input = inputs[path]
  if (input === undefined || !('bytes' in input)) throw new Error(`derivation '${name}' has no '${path}'`)
  return input.bytes
}
