import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'
import { withFileLock } from '../../lib/file-lock.ts'
import type { PlannedImage } from '../host-plan.ts'
import { type Outcome, type OutputFile, writeOutputs } from '../outputs/outputs.ts'
import { readState } from '../outputs/state.ts'
import type { Assembly, Platform, RealisedImage, RecordedImage } from './platform.ts'

export type AssembleRequest<Image extends PlannedImage = PlannedImage> = Omit<RealisedImage<Image>, 'state'> & {
  /** The output directory; it is created when it is missing. */
  readonly output: string
}

export interface Assembled extends Omit<Assembly, 'files'> {
  readonly outputs: Outcome
  readonly facts: readonly OutputFact[]
}

/** An output file as a generation records it. */
export interface OutputFact {
  readonly name: string
  readonly size: number
  /** The file's SHA-256; undefined for a file that a block map covers. */
  readonly sha256: Digest | undefined
}

/** Assembles a realised image in its output directory. */
export function assemble<Image extends PlannedImage>(
  { assemble: plan }: Pick<Platform<Image>, 'assemble'>,
  { output, ...image }: AssembleRequest<Image>,
): Promise<Assembled> {
  return withFileLock(output, async () => {
    const state = readState(output)
    const { files, ...assembly } = plan({ ...image, state } as unknown as RealisedImage<Image>)
    return { ...assembly, facts: factsOf(files), outputs: await writeOutputs(output, state, files) }
  })
}

export interface ReassembleRequest extends Omit<RecordedImage, 'state'> {
  /** How messages name the image: `generation 3 of adama`. */
  readonly name: string
  /** The root hash and the output files that the image must have. */
  readonly root: Digest
  readonly facts: readonly OutputFact[]
  /** The output directory; it is created when it is missing. */
  readonly output: string
}

/**
 * Assembles a recorded image again. If the result would differ from the record, throws 'format' before it writes
 * anything.
 */
export function reassemble(
  platform: Pick<Platform, 'reassemble'>,
  { output, name, root, facts, ...image }: ReassembleRequest,
): Promise<{ readonly slotSize: number; readonly outputs: Outcome }> {
  return withFileLock(output, async () => {
    const state = readState(output)
    const planned = platform.reassemble({ ...image, state })
    if (planned.root !== root) throw different(name, `its root hash would be ${planned.root}, was ${root}`)
    requireSame(name, facts, factsOf(planned.files))
    return { slotSize: planned.size, outputs: await writeOutputs(output, state, planned.files) }
  })
}

function factsOf(files: Readonly<Record<string, OutputFile>>): OutputFact[] {
  return Object.entries(files).map(([name, { size, sha256 }]) => ({ name, size, sha256 }))
}

function requireSame(name: string, wanted: readonly OutputFact[], planned: readonly OutputFact[]): void {
  const found = new Map(planned.map((each) => [each.name, each]))
  for (const each of wanted) {
    const now = found.get(each.name)
    if (now?.sha256 !== each.sha256 || now?.size !== each.size)
      throw different(name, `'${each.name}' would be ${describe(now)}, was ${describe(each)}`)
  }
  const more = planned.find((each) => !wanted.some((other) => other.name === each.name))
  if (more !== undefined) throw different(name, `'${more.name}' would be a new file`)
}

function describe(fact: OutputFact | undefined): string {
  return fact === undefined ? 'missing' : `${fact.sha256 ?? 'an image'} of ${fact.size} bytes`
}

function different(name: string, what: string): UserError {
  return new UserError('format', `this hangar cannot assemble ${name} bit for bit: ${what}`, {
    hint: 'use the hangar that built the image: npm run generations HOST shows its git revision (git checkout REVISION && npm ci)',
  })
}
