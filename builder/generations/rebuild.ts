import { readFile } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest, type Output, type OutputFile } from '../../images/derivation.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../../images/image.ts'
import { type BuildContext, storeUse } from '../context.ts'
import type { Outcome } from '../outputs/outputs.ts'
import { reassemble } from '../platforms/assemble.ts'
import type { FileInStore } from '../platforms/platform.ts'
import { platformNamed } from '../platforms/registry.ts'
import { usingStore } from '../store/leases.ts'
import type { Store } from '../store/store.ts'
import { generationNumbered, requireKept } from './find.ts'
import { type Graph, parseGraph } from './graph.ts'
import { objectsOf, type Parts, type StoredFile } from './parts.ts'
import type { KeptGeneration } from './record.ts'

export interface RebuildRequest {
  readonly host: string
  readonly number: number
  /** The output directory: `out/HOST`. */
  readonly output: string
}

export interface Rebuilt {
  readonly generation: KeptGeneration
  /** The part of the slot that the image fills, in bytes. */
  readonly slotSize: number
  /** `assembled`: the store had every file. `built`: hangar built missing files again. */
  readonly how: 'assembled' | 'built'
  readonly outputs: Outcome
}

/**
 * Writes an earlier generation to the output directory again, bit for bit. Reads neither the current host file nor the
 * current lock.
 */
export function rebuild(context: BuildContext, { host, number, output }: RebuildRequest): Promise<Rebuilt> {
  const { store } = context
  return usingStore(storeUse(context, `build of generation ${number} of ${host}`), async () => {
    const generation = requireKept(host, generationNumbered(store.root, host, number))
    const { root, parts } = generation
    const name = `generation ${number} of ${host}`
    const how = await completeParts(context, name, parts)
    const { slotSize, outputs } = await assembleParts(store, { host, name, root, parts, output })
    return { generation, slotSize, how, outputs }
  })
}

export interface AssemblePartsRequest {
  readonly host: string
  /** How messages name the image: `generation 3 of adama`. */
  readonly name: string
  readonly root: Digest
  /** The files of the image; all of them must be in the store. */
  readonly parts: Parts
  /** The output directory: `out/HOST`. */
  readonly output: string
}

/**
 * Assembles an image from its files in the store. If the root hash or a recorded sum would differ, throws before it
 * writes anything.
 */
export async function assembleParts(store: Store, { host, name, root, parts, output }: AssemblePartsRequest) {
  return reassemble(platformNamed(parts.platform), {
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

/** Builds the files of the image that the store no longer has. */
async function completeParts(context: BuildContext, name: string, parts: Parts): Promise<Rebuilt['how']> {
  const { store, runner, reporter } = context
  if (missingParts(store, parts).length === 0) return 'assembled'
  if (parts.origin === null) throw incomplete(name, missingParts(store, parts))
  const graph = parseGraph(await textIn(store, parts.origin.graph))
  const wanted = [...graph.layers.values(), ...[...graph.boot.values()].map(({ from }) => from)]
  const foreign = wanted.find(({ system }) => system !== context.builder)
  if (foreign !== undefined) throw otherBuilder(name, foreign.system, context.builder)
  const outputs = await runner.realise(unique(wanted), reporter)
  requireSameOutputs(name, parts, graph, outputs)
  const missing = missingParts(store, parts)
  if (missing.length > 0) throw incomplete(name, missing)
  return 'built'
}

/** The digests of the image's files that the store lacks, or has with the wrong size. */
export function missingParts(store: Store, parts: Parts): Digest[] {
  return [...objectsOf(parts)].filter(([digest, size]) => !store.has(digest, size)).map(([digest]) => digest)
}

/** A difference between the new outputs and the recorded ones means that a derivation is not reproducible. */
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
  throw new UserError(
    'derivation',
    `${what} of ${name} was rebuilt as ${now?.digest ?? 'nothing'}, was ${was.digest}`,
    {
      hint: 'hangar wrote nothing. A program of the toolchain is not reproducible: please report it',
    },
  )
}

function unique(derivations: readonly Derivation[]): Derivation[] {
  return [...new Map(derivations.map((each) => [derivationDigest(each), each])).values()]
}

function bootFile(store: Store, { digest, size }: StoredFile): FileInStore {
  return { file: store.path(digest), size, digest }
}

/** Reads a small text from the store, and verifies its digest. */
export async function textIn(store: Store, object: Digest): Promise<string> {
  const text = await readFile(store.path(object), 'utf8').catch(() => undefined)
  if (text !== undefined && digestOf(text) === object) return text
  throw new UserError('store', `'${store.path(object)}' is ${text === undefined ? 'missing' : 'corrupt'}`, {
    hint: 'find and remove corrupt objects: npm run store:verify; a generation that needs this object cannot be rebuilt',
  })
}

/** The recorded derivations run programs of the architecture that built the image. */
function otherBuilder(name: string, system: string, builder: string): UserError {
  return new UserError(
    'store',
    `the store lacks files of ${name}, which was built on ${system}; this machine is ${builder}`,
    {
      hint: `rebuild it on a machine that is ${system}, or pull it from a registry: npm run pull HOST -- --from SOURCE`,
    },
  )
}

function incomplete(name: string, missing: readonly Digest[]): UserError {
  const count = `${missing.length} ${missing.length === 1 ? 'file' : 'files'}`
  return new UserError('store', `the store lacks ${count} of ${name}: ${missing[0]} …`, {
    hint: 'pull it from where it was published, or build the current image: npm run build:image HOST',
  })
}
