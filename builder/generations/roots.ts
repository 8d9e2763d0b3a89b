import { UserError } from '../../errors.ts'
import { derivationDigest, type Toolchain, toolchainDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Locks } from '../lock/locks.ts'
import type { Store } from '../store/store.ts'
import { toolchainImageName } from '../toolchain/image.ts'
import { derivationsIn, type Graph, objectsIn, packagesIn, parseGraph, toolchainsIn } from './graph.ts'
import { objectsOf } from './parts.ts'
import { textIn } from './rebuild.ts'
import type { KeptGeneration } from './record.ts'

/** What is there for something's sake. Everything else in a store may go. */
export interface Live {
  readonly objects: Set<Digest>
  /** Derivations whose outputs' records stay. */
  readonly outputs: Set<Digest>
  /** Digests of toolchains whose unpacked directories stay. */
  readonly toolchains: Set<Digest>
}

export interface Rooted {
  readonly live: Live
  /** Generations whose graph is not in the store: what they were made from cannot be told any more. */
  readonly unknown: readonly KeptGeneration[]
}

/**
 * All that is reached from generations, and the files that the present lock names: what a build of today's tree reads.
 * Of derivations between, only what is recorded: a runner may keep those in an engine of its own.
 */
export async function liveFrom(
  store: Store,
  generations: readonly KeptGeneration[],
  present: Locks | undefined,
): Promise<Rooted> {
  const live: Live = { objects: new Set(), outputs: new Set(), toolchains: new Set() }
  const unknown: KeptGeneration[] = []
  for (const generation of generations) {
    for (const object of objectsOf(generation.parts).keys()) live.objects.add(object)
    const { origin } = generation.parts
    if (origin === null) continue
    const graph = await graphIn(store, origin.graph)
    if (graph === undefined) unknown.push(generation)
    else addGraph(store, live, graph)
  }
  if (present !== undefined) addLock(store, live, present)
  return { live, unknown }
}

async function graphIn(store: Store, object: Digest): Promise<Graph | undefined> {
  try {
    return parseGraph(await textIn(store, object))
  } catch (error) {
    // Only one that is missing or damaged: of one that this program does not understand, all would be taken for garbage.
    if (error instanceof UserError && error.code === 'store') return undefined
    throw error
  }
}

function addGraph(store: Store, live: Live, graph: Graph): void {
  for (const { sha256 } of packagesIn(graph)) live.objects.add(sha256)
  for (const object of objectsIn(graph)) live.objects.add(object)
  for (const derivation of derivationsIn(graph)) addOutput(store, live, derivationDigest(derivation))
  for (const toolchain of toolchainsIn(graph)) addToolchain(store, live, toolchain)
}

function addLock(store: Store, live: Live, { files, toolchains }: Locks): void {
  for (const { sha256 } of files) live.objects.add(sha256)
  for (const toolchain of toolchains) addToolchain(store, live, toolchain)
}

function addToolchain(store: Store, live: Live, toolchain: Toolchain): void {
  live.toolchains.add(toolchainDigest(toolchain))
  addOutput(store, live, toolchainImageName(toolchain))
}

function addOutput(store: Store, live: Live, derivation: Digest): void {
  live.outputs.add(derivation)
  for (const { digest } of Object.values(store.output(derivation) ?? {})) live.objects.add(digest)
}
