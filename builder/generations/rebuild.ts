import { readFile } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest, type Output, type OutputFile } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../../images/image.ts'
import { type BuildContext, storeUse } from '../context.ts'
import type { Outcome } from '../outputs/outputs.ts'
import type { BootFile } from '../platforms/pi/boot.ts'
import { reassemble } from '../platforms/pi/reassemble.ts'
import { usingStore } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import { type Graph, parseGraph } from './graph.ts'
import { objectsOf, type Parts, type StoredFile } from './parts.ts'
import { generationNumbered, type KeptGeneration, requireKept } from './record.ts'

export interface RebuildRequest {
  readonly host: string
  readonly number: number
  /** Directory for the results. */
  readonly output: string
}

export interface Rebuilt {
  readonly generation: KeptGeneration
  readonly slotSize: number
  /** Whether all of it was in the store, or had to be built from what it was made of. */
  readonly how: 'put together' | 'built'
  readonly outputs: Outcome
}

/** An earlier generation in its host's output directory, to the byte, whatever the tree says now. */
export function rebuild(context: BuildContext, { host, number, output }: RebuildRequest): Promise<Rebuilt> {
  const { store } = context
  return usingStore(storeUse(context, `build of generation ${number} of ${host}`), async () => {
    const generation = requireKept(host, generationNumbered(store.root, host, number))
    const { root, parts } = generation
    const name = `generation ${number} of ${host}`
    const how = await bringParts(context, name, parts)
    const { slotSize, outputs } = await putTogether(store, { host, name, root, parts, output })
    return { generation, slotSize, how, outputs }
  })
}

export interface PutTogetherRequest {
  readonly host: string
  /** `generation 3 of adama`, for messages. */
  readonly name: string
  readonly root: Digest
  /** All of them are in the store. */
  readonly parts: Parts
  /** Directory for the results. */
  readonly output: string
}

/** Lays the parts out in an output directory. Nothing is written unless it comes to the root hash and sums given. */
export async function putTogether(store: Store, { host, name, root, parts, output }: PutTogetherRequest) {
  return reassemble({
    ...{ host, name, output, root, slotSize: parts.slotSize },
    layers: parts.layers.map(({ leaves, ...layer }) => ({
      ...layer,
      file: store.path(layer.digest),
      leaves: store.path(leaves.digest),
    })),
    boot: Object.fromEntries(parts.boot.map((file) => [file.name, bootFile(store, file)])),
    texts: Object.fromEntries(
      await Promise.all(parts.texts.map(async (each) => [each.name, await textIn(store, each.digest)] as const)),
    ),
    facts: parts.outputs.map(({ name: file, size, sha256 }) => ({ name: file, size, sha256 })),
  })
}

/** Builds what of the parts is not in the store any more. */
async function bringParts(context: BuildContext, name: string, parts: Parts): Promise<Rebuilt['how']> {
  const { store, runner, reporter } = context
  if (missingParts(store, parts).length === 0) return 'put together'
  if (parts.origin === null) throw incomplete(name, missingParts(store, parts))
  const graph = parseGraph(await textIn(store, parts.origin.graph))
  const wanted = [...graph.layers.values(), ...[...graph.boot.values()].map(({ from }) => from)]
  const foreign = wanted.find(({ system }) => system !== context.builder)
  if (foreign !== undefined) throw elsewhere(name, foreign.system, context.builder)
  const outputs = await runner.realise(unique(wanted), reporter)
  requireSameOutputs(name, parts, graph, outputs)
  const missing = missingParts(store, parts)
  if (missing.length > 0) throw incomplete(name, missing)
  return 'built'
}

/** Digests of parts that are not whole in the store. */
export function missingParts(store: Store, parts: Parts): Digest[] {
  return [...objectsOf(parts)].filter(([digest, size]) => !store.has(digest, size)).map(([digest]) => digest)
}

/** What was built now has to be what was built then; otherwise some derivation is not reproducible. */
function requireSameOutputs(name: string, parts: Parts, graph: Graph, outputs: ReadonlyMap<Digest, Output>): void {
  const made = (derivation: Derivation | undefined, file: string) =>
    derivation === undefined ? undefined : outputs.get(derivationDigest(derivation))?.[file]
  for (const layer of parts.layers) {
    const derivation = graph.layers.get(layer.name)
    requireSame(name, `layer '${layer.name}'`, layer, made(derivation, LAYER_FILE))
    requireSame(name, `the leaves of layer '${layer.name}'`, layer.leaves, made(derivation, LEAVES_FILE))
  }
  for (const [file, { from, file: output }] of graph.boot) {
    const was = parts.boot.find((each) => each.name === file)
    if (was !== undefined) requireSame(name, `'${file}'`, was, made(from, output))
  }
}

function requireSame(name: string, what: string, was: Pick<StoredFile, 'digest'>, now: OutputFile | undefined): void {
  if (now?.digest === was.digest) return
  throw new UserError('derivation', `${what} of ${name} came out as ${now?.digest ?? 'nothing'}, was ${was.digest}`, {
    hint: 'nothing was written; a program of the toolchain does not give the same bytes twice: report it',
  })
}

function unique(derivations: readonly Derivation[]): Derivation[] {
  return [...new Map(derivations.map((each) => [derivationDigest(each), each])).values()]
}

function bootFile(store: Store, { digest, size }: StoredFile): BootFile {
  return { file: store.path(digest), size, digest }
}

/** A text of the store; it is small, so that its bytes are compared with its name. */
export async function textIn(store: Store, object: Digest): Promise<string> {
  const text = await readFile(store.path(object), 'utf8').catch(() => undefined)
  if (text !== undefined && digestOf(text) === object) return text
  throw new UserError('store', `'${store.path(object)}' is ${text === undefined ? 'missing' : 'damaged'}`, {
    hint: 'find and remove what is damaged with: npm run store:verify; whatever needs it cannot be put together again',
  })
}

/** Another builder gives the same bytes, but by other derivations: the recorded ones run programs of that machine. */
function elsewhere(name: string, system: string, builder: string): UserError {
  return new UserError('store', `${name} lacks parts, and was built on ${system}: this machine is ${builder}`, {
    hint: `build it on a machine that is ${system}, or bring it from where it was published`,
  })
}

function incomplete(name: string, missing: readonly Digest[]): UserError {
  return new UserError('store', `the store lacks ${missing.length} parts of ${name}: ${missing[0]} …`, {
    hint: 'bring it from where it was published, or build the present image: npm run build:image HOST',
  })
}
