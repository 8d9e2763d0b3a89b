import { UserError } from '../../../../errors.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import { compareVersions } from '../../../../images/debian/version.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import { setsBehind } from './align-architectures.ts'
import type { Catalogue } from './catalogue.ts'
import type { Pins } from './reachable.ts'
import type { Resolved } from './sets.ts'
import { type Answer, noSolution, type Question } from './solve.ts'

export interface Convergence {
  /** The sets that keep their packages, unless a newly resolved set has another version of one of their packages. */
  readonly kept: ReadonlyMap<string, Resolved>
  readonly wanted: readonly ArchitectureSet[]
  /** The versions that the solver keeps if possible. */
  readonly preferred: (architecture: Architecture) => Pins
  readonly catalogue: (architecture: Architecture) => Promise<Catalogue>
  readonly ask: (questions: readonly Question[]) => Promise<Answer[]>
}

/**
 * Each round resolves the sets again whose versions must change after the round before. Versions never decrease, so a
 * few rounds are enough.
 */
const ROUNDS = 10

/**
 * Resolves sets until each package has one version per architecture in all sets. If two sets have different versions,
 * takes the newer version and resolves the other set again. Also resolves a set again if its versions changed for the
 * other architecture.
 */
export async function convergeVersions(convergence: Convergence): Promise<Map<string, Resolved>> {
  const sets = new Map(convergence.kept)
  const agreed = new Map<Architecture, Map<string, string>>()
  let open: readonly ArchitectureSet[] = convergence.wanted
  for (let round = 0; round < ROUNDS && open.length > 0; round += 1) {
    for (const each of await resolveAll(open, agreed, convergence)) sets.set(setKey(each.wanted), each)
    open = moving([...sets.values()], agreed)
  }
  if (open.length === 0) return sets
  throw new UserError(
    'lock',
    `package sets have different versions of the same packages after ${ROUNDS} rounds: ${open.map(setKey).join(', ')}`,
    {
      hint: 'resolve all sets again: npm run lock -- --update',
    },
  )
}

async function resolveAll(
  open: readonly ArchitectureSet[],
  agreed: ReadonlyMap<Architecture, Pins>,
  convergence: Convergence,
): Promise<Resolved[]> {
  const strict = (architecture: Architecture): Pins => agreed.get(architecture) ?? new Map()
  const preferring = (architecture: Architecture): Pins =>
    new Map([...convergence.preferred(architecture), ...strict(architecture)])
  const first = await answers(open, preferring, convergence)
  const failed = open.filter((_, index) => 'problem' in (first[index]?.answer ?? {}))
  // Tries again without the locked versions: together with the new request they may have no solution.
  const second = await answers(failed, strict, convergence)
  return [...first.filter(({ answer }) => 'packages' in answer), ...second].map(({ wanted, question, answer }) => {
    if ('problem' in answer) throw noSolution(question, answer.problem)
    return { wanted, packages: answer.packages }
  })
}

async function answers(
  open: readonly ArchitectureSet[],
  pins: (architecture: Architecture) => Pins,
  { catalogue, ask }: Convergence,
): Promise<{ wanted: ArchitectureSet; question: Question; answer: Answer }[]> {
  if (open.length === 0) return []
  const questions: Question[] = []
  for (const { set, architecture } of open) {
    questions.push({ set, catalogue: await catalogue(architecture), pins: pins(architecture) })
  }
  const given = await ask(questions)
  return open.flatMap((wanted, index) => {
    const [question, answer] = [questions[index], given[index]]
    return question === undefined || answer === undefined ? [] : [{ wanted, question, answer }]
  })
}

function moving(sets: readonly Resolved[], agreed: Map<Architecture, Map<string, string>>): ArchitectureSet[] {
  const all = [...disagreeing(sets, agreed), ...setsBehind(sets, agreed)]
  return [...new Map(all.map((each) => [setKey(each), each])).values()]
}

/** Returns the sets that have an older version of a package than another set, and adds the newest versions to `agreed`. */
function disagreeing(sets: readonly Resolved[], agreed: Map<Architecture, Map<string, string>>): ArchitectureSet[] {
  const newest = new Map<string, string>()
  const key = ({ architecture }: ArchitectureSet, name: string) => `${architecture} ${name}`
  for (const { wanted, packages } of sets) {
    for (const { package: name, version } of packages) {
      const known = newest.get(key(wanted, name))
      if (known === undefined || compareVersions(version, known) > 0) newest.set(key(wanted, name), version)
    }
  }
  return sets
    .filter(({ wanted, packages }) => {
      const others = packages.filter(({ package: name, version }) => newest.get(key(wanted, name)) !== version)
      const pins = agreed.get(wanted.architecture) ?? new Map<string, string>()
      agreed.set(wanted.architecture, pins)
      for (const { package: name } of others) pins.set(name, newest.get(key(wanted, name)) ?? '')
      return others.length > 0
    })
    .map(({ wanted }) => wanted)
}
