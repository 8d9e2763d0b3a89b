import { UserError } from '../../../errors.ts'
import type { Digest } from '../../../images/digest.ts'
import { withFileLock } from '../../../lib/file-lock.ts'
import { type Outcome, summed } from '../../outputs/outputs.ts'
import { readState } from '../../outputs/state.ts'
import type { BootFile } from './boot.ts'
import { layOut, type OutputFact } from './lay-out.ts'
import { planSlot, type RealisedLayer } from './slot.ts'

export interface ReassembleRequest {
  readonly host: string
  /** `generation 3 of adama`, for messages. */
  readonly name: string
  readonly slotSize: number
  readonly layers: readonly RealisedLayer[]
  /** The whole boot file system, in the order in which its files lie. */
  readonly boot: Readonly<Record<string, BootFile>>
  readonly texts: Readonly<Record<string, string>>
  /** What has to come out: root hash and output files. */
  readonly root: Digest
  readonly facts: readonly OutputFact[]
  /** Directory of the results. */
  readonly output: string
}

/** Lays an image out that was assembled before. Nothing is written unless it comes to the same bytes. */
export function reassemble(request: ReassembleRequest): Promise<{ slotSize: number; outputs: Outcome }> {
  return withFileLock(request.output, async () => {
    const { slotSize, layers, output, root, facts, name } = request
    const slot = planSlot(layers, slotSize)
    if (slot.root !== root) throw different(name, `its root hash would be ${slot.root}, was ${root}`)
    const state = readState(output)
    const slotFile = summed(state['slot.img'], slot.size, slot.segments)
    const planned = layOut({ ...request, slot, slotFile, state })
    requireSame(name, facts, planned.facts)
    return { slotSize: slot.size, outputs: await planned.write() }
  })
}

function requireSame(name: string, wanted: readonly OutputFact[], planned: readonly OutputFact[]): void {
  const found = new Map(planned.map((each) => [each.name, each]))
  for (const each of wanted) {
    const now = found.get(each.name)
    if (now?.sha256 !== each.sha256 || now?.size !== each.size)
      throw different(name, `'${each.name}' would be ${describe(now)}, was ${describe(each)}`)
  }
  const more = planned.find((each) => !wanted.some((other) => other.name === each.name))
  if (more !== undefined) throw different(name, `'${more.name}' would come along`)
}

function describe(fact: OutputFact | undefined): string {
  return fact === undefined ? 'missing' : `${fact.sha256 ?? 'an image'} of ${fact.size} bytes`
}

function different(name: string, what: string): UserError {
  return new UserError('format', `this hangar does not put ${name} together as it was: ${what}`, {
    hint: 'use the hangar that built it: npm run generations HOST names its git revision (git checkout REVISION && npm ci)',
  })
}
