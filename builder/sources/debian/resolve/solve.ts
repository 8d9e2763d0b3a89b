import { readFile } from 'node:fs/promises'
import { UserError } from '../../../../errors.ts'
import { type Derivation, derivationDigest, type Toolchain } from '../../../../images/derivation.ts'
import type { LockedPackage } from '../../../../images/lock.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import type { Reporter } from '../../../../lib/reporter.ts'
import type { Runner } from '../../../runners/runner.ts'
import type { Store } from '../../../store/store.ts'
import { APT_SERVER, aptLists, aptSources } from './apt-lists.ts'
import { type Candidate, type Catalogue, requestedBy } from './catalogue.ts'
import { type Pins, reachable } from './reachable.ts'

export interface Question {
  readonly set: PackageSet
  readonly catalogue: Catalogue
  readonly pins: Pins
}

/** The packages of a set, or apt's message when the packages cannot be installed together. */
export type Answer = { readonly packages: readonly LockedPackage[] } | { readonly problem: string }

export interface Solver {
  readonly toolchain: Toolchain
  readonly runner: Runner
  readonly store: Store
  readonly reporter: Reporter
}

/** Runs apt's solver as derivations, and returns one answer per question. Earlier answers come from the store. */
export async function solve(
  questions: readonly Question[],
  { toolchain, runner, store, reporter }: Solver,
): Promise<Answer[]> {
  const asked = questions.map((question) => {
    const candidates = reachable(question.set, question.catalogue, question.pins)
    return { candidates, derivation: solveDerivation(question, candidates, toolchain) }
  })
  const outputs = await runner.realise(
    asked.map(({ derivation }) => derivation),
    reporter,
  )
  return Promise.all(
    asked.map(async ({ candidates, derivation }) => {
      const output = outputs.get(derivationDigest(derivation))
      const text = async (file: string) => {
        const found = output?.[file]
        if (found === undefined) throw new Error(`derivation '${derivation.name}' wrote no '${file}'`)
        return readFile(store.path(found.digest), 'utf8')
      }
      const problem = await text('problem')
      return problem === '' ? { packages: parseUris(await text('uris'), candidates) } : { problem: problem.trim() }
    }),
  )
}

/**
 * Makes apt print the files that it would fetch. If there is no solution, the derivation still succeeds, and its output
 * is apt's message.
 */
const SCRIPT = `set -eu
mkdir -p apt/lists/partial apt/archives/partial
cp /in/lists/* apt/lists/
: > apt/status
APT_CONFIG=/in/apt.conf; export APT_CONFIG
if apt-get --yes --no-install-recommends --print-uris install "$@" > uris 2> problem; then : > problem; fi
cp uris problem /out/
`

function solveDerivation(
  { set, catalogue }: Question,
  candidates: readonly Candidate[],
  toolchain: Toolchain,
): Derivation {
  const lists = Object.entries(aptLists(candidates, set, catalogue)).map(([name, text]) => [
    `lists/${name}`,
    { bytes: text },
  ])
  return {
    name: `solve/${set.name}:${catalogue.architecture}`,
    system: toolchain.architecture,
    toolchain,
    inputs: {
      'apt.conf': { bytes: aptConfiguration(catalogue) },
      'sources.list': { bytes: aptSources(catalogue) },
      ...Object.fromEntries(lists),
    },
    command: ['sh', '-c', SCRIPT, 'solve', ...requestedBy(set, catalogue).map(({ text }) => text)],
    env: {},
    privilege: 'default',
  }
}

/** Sets all paths to the working directory, so that apt does not read the configuration in the toolchain. */
function aptConfiguration({ architecture }: Catalogue): string {
  return `APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
APT::Solver "internal";
Dir::Etc "/nonexistent";
Dir::Etc::SourceList "/in/sources.list";
Dir::State "/build/apt";
Dir::State::Lists "/build/apt/lists";
Dir::State::Status "/build/apt/status";
Dir::Cache "/build/apt";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
`
}

/**
 * Parses apt's list of files, one line per file: `'http://archives/debian/pool/…/zstd_1.5.7_arm64.deb'
 * zstd_1.5.7_arm64.deb 756244 SHA256:…`.
 */
function parseUris(text: string, candidates: readonly Candidate[]): LockedPackage[] {
  const byUrl = new Map(candidates.map(({ locked }) => [`${APT_SERVER}/${locked.archive}/${locked.path}`, locked]))
  return text
    .split('\n')
    .filter((line) => line.startsWith("'"))
    .map((line) => {
      const url = decodeURIComponent(/^'([^']*)'/.exec(line)?.[1] ?? '')
      const locked = byUrl.get(url)
      if (locked === undefined) throw new Error(`apt printed a file that is not in its lists: '${line}'`)
      return locked
    })
}

/** The error for a package set that has no solution. */
export function noSolution({ set, catalogue }: Question, problem: string): UserError {
  const said = problem.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('W:'))
  return new UserError(
    'lock',
    `package set '${set.name}' cannot be installed on ${catalogue.architecture}:\n  ${said.join('\n  ')}`,
    {
      hint: 'request other packages, or take one from another suite: PACKAGE/SUITE',
    },
  )
}
