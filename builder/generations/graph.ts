import { UserError } from '../../errors.ts'
import { canonicalJson } from '../../images/canonical.ts'
import {
  type Derivation,
  dependencies,
  derivationDigest,
  type Input,
  type Toolchain,
  toolchainDigest,
} from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import type { LockedFile } from '../../images/locked-file.ts'

/** Every derivation and package that a build of an image uses. */
export interface Graph {
  /** The layers of the image: layer name -> derivation. */
  readonly layers: ReadonlyMap<string, Derivation>
  /**
   * Boot files that derivations make: file name -> the derivation, and the file's name in its output. Texts of this
   * project are not included.
   */
  readonly boot: ReadonlyMap<string, { readonly from: Derivation; readonly file: string }>
  /** The derivations of the other output files, such as the SBOM. */
  readonly others: ReadonlyMap<string, Derivation>
}

type StoredInput =
  | { readonly locked: Digest }
  | { readonly object: Digest }
  | { readonly from: Digest; readonly file: string }

interface StoredDerivation extends Omit<Derivation, 'toolchain' | 'inputs'> {
  readonly toolchain: string
  readonly inputs: Readonly<Record<string, StoredInput>>
}

/** The format of a graph in the store. It lists each derivation, toolchain and package once, under its digest. */
interface StoredGraph {
  readonly format: 1
  readonly packages: Readonly<Record<string, LockedFile>>
  readonly toolchains: Readonly<Record<string, Omit<Toolchain, 'packages'> & { readonly packages: readonly Digest[] }>>
  readonly derivations: Readonly<Record<string, StoredDerivation>>
  readonly layers: Readonly<Record<string, Digest>>
  readonly boot: Readonly<Record<string, { readonly from: Digest; readonly file: string }>>
  readonly others: Readonly<Record<string, Digest>>
}

/** Returns the graph's canonical text, and the bytes of the inputs that the text names by digest. */
export function graphText(graph: Graph): { readonly text: string; readonly bytes: readonly string[] } {
  const derivations = derivationsIn(graph)
  const toolchains = toolchainsIn(graph)
  const stored = {
    format: 1,
    packages: Object.fromEntries(packagesIn(graph).map((item) => [item.sha256, item])),
    toolchains: Object.fromEntries(
      toolchains.map((each) => [
        toolchainKey(each),
        { ...each, packages: each.packages.map(({ sha256 }) => sha256) } as const,
      ]),
    ),
    derivations: Object.fromEntries(derivations.map((each) => [derivationDigest(each), storedDerivation(each)])),
    layers: digestsOf(graph.layers),
    boot: Object.fromEntries(
      [...graph.boot].map(([name, { from, file }]) => [name, { from: derivationDigest(from), file }]),
    ),
    others: digestsOf(graph.others),
  } satisfies StoredGraph
  return { text: canonicalJson(stored as never), bytes: derivations.flatMap(bytesOf) }
}

/** Reads the text of `graphText`; throws when a derivation does not have the digest under which it is stored. */
export function parseGraph(text: string): Graph {
  const stored = parseStored(text)
  const made = new Map<string, Derivation>()
  const derivation = (digest: string): Derivation => {
    const found = made.get(digest) ?? readDerivation(stored, digest, derivation)
    made.set(digest, found)
    return found
  }
  const derivations = (named: Readonly<Record<string, Digest>>) =>
    new Map(Object.entries(named).map(([name, digest]) => [name, derivation(digest)]))
  return {
    layers: derivations(stored.layers),
    boot: new Map(
      Object.entries(stored.boot).map(([name, { from, file }]) => [name, { from: derivation(from), file }]),
    ),
    others: derivations(stored.others),
  }
}

/** Every derivation of a graph and its dependencies, without duplicates. */
export function derivationsIn({ layers, boot, others }: Graph): Derivation[] {
  const found = new Map<Digest, Derivation>()
  const visit = (each: Derivation) => {
    const digest = derivationDigest(each)
    if (found.has(digest)) return
    found.set(digest, each)
    dependencies(each).forEach(visit)
  }
  for (const each of [...layers.values(), ...[...boot.values()].map(({ from }) => from), ...others.values()])
    visit(each)
  return [...found.values()]
}

/** Every toolchain of a graph. Toolchains with the same packages and different names count as different. */
export function toolchainsIn(graph: Graph): Toolchain[] {
  const each = derivationsIn(graph).map(({ toolchain }) => [toolchainKey(toolchain), toolchain] as const)
  return [...new Map(each).values()]
}

/** Every locked file that a graph uses, including the files of its toolchains. */
export function packagesIn(graph: Graph): LockedFile[] {
  const inputs = derivationsIn(graph).flatMap(({ inputs: each }) => Object.values(each))
  const locked = inputs.flatMap((input) => ('locked' in input ? [input.locked] : []))
  const programs = toolchainsIn(graph).flatMap(({ packages }) => packages)
  return [...new Map([...locked, ...programs].map((item) => [item.sha256, item])).values()]
}

/** The other objects that derivations read: neither packages nor outputs of derivations. */
export function objectsIn(graph: Graph): Digest[] {
  const inputs = derivationsIn(graph).flatMap(({ inputs: each }) => Object.values(each))
  return inputs.flatMap((input) =>
    'object' in input ? [input.object] : 'bytes' in input ? [digestOf(input.bytes)] : [],
  )
}

function digestsOf(derivations: ReadonlyMap<string, Derivation>): Record<string, Digest> {
  return Object.fromEntries([...derivations].map(([name, each]) => [name, derivationDigest(each)]))
}

function bytesOf({ inputs }: Derivation): string[] {
  return Object.values(inputs).flatMap((input) => ('bytes' in input ? [input.bytes] : []))
}

function storedDerivation({ toolchain, inputs, ...rest }: Derivation): StoredDerivation {
  const named = Object.entries(inputs).map(([path, input]) => [path, storedInput(input)] as const)
  return { ...rest, toolchain: toolchainKey(toolchain), inputs: Object.fromEntries(named) }
}

function storedInput(input: Input): StoredInput {
  if ('from' in input) return { from: derivationDigest(input.from), file: input.file }
  if ('locked' in input) return { locked: input.locked.sha256 }
  return { object: 'bytes' in input ? digestOf(input.bytes) : input.object }
}

function readDerivation(stored: StoredGraph, digest: string, derivation: (digest: string) => Derivation): Derivation {
  const { toolchain, inputs, ...rest } = known(stored.derivations, digest)
  const { packages, ...programs } = known(stored.toolchains, toolchain)
  const read: Derivation = {
    ...rest,
    toolchain: { ...programs, packages: packages.map((each) => known(stored.packages, each)) },
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([path, input]): [string, Input] => {
        if ('from' in input) return [path, { from: derivation(input.from), file: input.file }]
        return [path, 'locked' in input ? { locked: known(stored.packages, input.locked) } : input]
      }),
    ),
  }
  if (derivationDigest(read) !== digest) throw new Error(`derivation '${rest.name}' does not match its digest`)
  return read
}

/** The key has the toolchain's name too, because the digest does not cover the name. */
function toolchainKey(toolchain: Toolchain): string {
  return `${toolchain.name} ${toolchainDigest(toolchain)}`
}

function known<T>(all: Readonly<Record<string, T>>, key: string): T {
  const found = all[key]
  if (found === undefined) throw new Error(`the graph has no entry for '${key}'`)
  return found
}

function parseStored(text: string): StoredGraph {
  const stored = JSON.parse(text) as StoredGraph
  if (stored.format === 1) return stored
  throw new UserError('format', `a graph of derivations has format ${stored.format}, this hangar reads format 1`, {
    hint: 'update hangar: git pull && npm ci',
  })
}
