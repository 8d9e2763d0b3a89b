import { UserError } from '../errors.ts'
import { type Derivation, dependencies, derivationDigest, type Input, type Output } from '../images/derivation.ts'
import type { Digest } from '../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../images/image.ts'
import { REST_FILE } from '../images/sbom/document.ts'
import { allEnded } from '../lib/worker-pool.ts'
import type { BuildContext } from './context.ts'
import type { PlannedImage } from './host-plan.ts'
import type { FileInStore, RealisedLayer } from './platforms/platform.ts'
import { DerivationFailure } from './runners/failure.ts'
import { missingDerivations } from './runners/missing.ts'
import { type StepTime, timeSteps } from './step-times.ts'
import type { Store } from './store/store.ts'

export interface HostImage {
  readonly host: string
  readonly image: PlannedImage
}

export type Outputs = ReadonlyMap<Digest, Output>

export interface RealisedImages {
  /** The outputs of all derivations of the images, by derivation digest. */
  readonly outputs: Outputs
  /** How the output of one of these derivations came into being. */
  readonly made: (derivation: Derivation) => StepTime
}

/** Runs the derivations of all images as one graph: each derivation runs once, and all of them share the workers. */
export async function realiseImages(
  { runner, reporter, store }: BuildContext,
  images: readonly HostImage[],
): Promise<RealisedImages> {
  const wanted = unique(images.flatMap(({ image }) => derivationsOf(image)))
  const missing = new Set(missingDerivations(wanted, store).map(derivationDigest))
  const timed = timeSteps(reporter)
  const outputs = await runner.realise(wanted, timed.reporter).catch((error) => {
    throw namingHosts(error, images)
  })
  // Steps have only names. Two hosts can have different derivations of one name, of which hangar built only one.
  const made = (derivation: Derivation): StepTime =>
    missing.has(derivationDigest(derivation)) ? timed.of(derivation.name) : { kind: 'reused' }
  return { outputs, made }
}

function derivationsOf({ layers, sbom, bootFiles }: PlannedImage): Derivation[] {
  const found = [...layers.map(({ derivation }) => derivation), sbom]
  for (const input of Object.values(bootFiles)) if ('from' in input) found.push(input.from)
  return found
}

function unique(derivations: readonly Derivation[]): Derivation[] {
  return [...new Map(derivations.map((each) => [derivationDigest(each), each])).values()]
}

/** Adds the hosts that need a failed derivation, when hangar builds several hosts: their names are not in the derivation. */
function namingHosts(error: unknown, images: readonly HostImage[]): unknown {
  if (!(error instanceof DerivationFailure) || images.length === 1) return error
  const needing = images.filter(({ image }) => derivationsOf(image).some((each) => needs(each, error.derivation)))
  const hosts = needing.map(({ host }) => `'${host}'`).join(', ')
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new UserError(error.code, `${error.message}\n  hosts that need it: ${hosts}`, { ...hint, cause: error })
}

function needs(derivation: Derivation, wanted: Digest): boolean {
  return derivationDigest(derivation) === wanted || dependencies(derivation).some((each) => needs(each, wanted))
}

/** The parts of an image as files in the store, after its derivations have run. */
export async function realisedParts(store: Store, { layers, bootFiles, sbom }: PlannedImage, outputs: Outputs) {
  const files = Object.entries(bootFiles).map(
    async ([name, input]) => [name, await bootFile(store, input, outputs)] as const,
  )
  return {
    layers: layers.map(({ name, derivation }) => realisedLayer(store, name, derivation, outputs)),
    bootFiles: Object.fromEntries(await allEnded(files)),
    sbom: fileOf(store, outputs, sbom, REST_FILE),
  }
}

function realisedLayer(store: Store, name: string, derivation: Derivation, outputs: Outputs): RealisedLayer {
  const leaves = fileOf(store, outputs, derivation, LEAVES_FILE)
  return { name, ...fileOf(store, outputs, derivation, LAYER_FILE), leaves: leaves.file }
}

async function bootFile(store: Store, input: Input, outputs: Outputs): Promise<FileInStore> {
  if ('from' in input) return fileOf(store, outputs, input.from, input.file)
  if (!('bytes' in input)) throw new Error('a boot file is text, or comes from a derivation')
  const digest = await store.putBytes(input.bytes)
  return { file: store.path(digest), size: Buffer.byteLength(input.bytes), digest }
}

function fileOf(store: Store, outputs: Outputs, derivation: Derivation, file: string): FileInStore {
  const found = outputs.get(derivationDigest(derivation))?.[file]
  if (found === undefined) throw new Error(`derivation '${derivation.name}' left no '${file}'`)
  return { file: store.path(found.digest), size: found.size, digest: found.digest }
}
