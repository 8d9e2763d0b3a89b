import type { Manifest } from '../../../images/manifest.ts'
import type { Slot } from '../../../images/names.ts'
import { treeSize } from '../../../images/slot/verity.ts'
import type { Goal } from '../../goal.ts'
import type { Part } from '../../ssh/agent.ts'
import type { DeviceStatus, SlotState } from '../../ssh/status.ts'
import { requireUpdatable } from './refusals.ts'

/** One thing that an update does; `atMost` counts bytes before compression. */
export type Step =
  /** The host's own keys, the new ones before those that it has. */
  | { readonly kind: 'identity'; readonly atMost: number }
  /** Signature and serial are checked on the host; from here on nobody else writes there. */
  | { readonly kind: 'begin'; readonly slot: Slot; readonly downgrade: Goal['downgrade'] }
  | { readonly kind: 'tree'; readonly slot: Slot; readonly atMost: number }
  | { readonly kind: 'blocks'; readonly part: Part; readonly transfer: Goal['transfer']; readonly atMost: number }
  /** Everything is read back, and only then can the slot be booted. */
  | { readonly kind: 'finish'; readonly slot: Slot; readonly root: string }
  /** `slot`: what was written there, if anything was. */
  | { readonly kind: 'release'; readonly slot?: Slot }
  | { readonly kind: 'arm'; readonly slot: Slot; readonly root: string }
  | { readonly kind: 'restart'; readonly slot: Slot; readonly root: string }
  | { readonly kind: 'health' }
  | { readonly kind: 'commit'; readonly slot: Slot; readonly root: string }
  | { readonly kind: 'confirm'; readonly slot: Slot; readonly root: string }

/** What of an artifact decides the plan. */
export interface Wanted {
  readonly manifest: Manifest
  readonly manifestDigest: string
  readonly bootSize: number
}

/** The steps from what a host runs to what is wanted: none where it runs that already. Throws where it must not be. */
export function planUpdate(status: DeviceStatus, wanted: Wanted, goal: Goal): Step[] {
  if (isRunning(status, wanted)) return []
  requireUpdatable(status, wanted.manifest, goal)
  const target = { slot: otherSlot(status.slot), root: wanted.manifest.slot.root as string }
  const isWritten = holds(status.slots[target.slot], wanted)
  const begin: Step = { kind: 'begin', slot: target.slot, downgrade: goal.downgrade }
  const writing = isWritten ? [] : writingSteps(target, wanted, goal)
  const last: readonly Step[] = goal.kind === 'stage' ? [{ kind: 'release', slot: target.slot }] : tryingSteps(target)
  return [begin, ...writing, ...last]
}

/**
 * The steps that are left after the host's answer to `begin`. It looks more closely than a status can: what was taken for
 * whole may have to be written, and what was taken for gone may be whole.
 */
export function stepsAfterBegin(
  planned: readonly Step[],
  state: 'begun' | 'written',
  wanted: Wanted,
  goal: Goal,
): Step[] {
  const [begin, ...rest] = planned
  if (begin?.kind !== 'begin') throw new Error(`a plan starts with '${begin?.kind}', wanted 'begin'`)
  if (state === 'written') return rest.filter((step) => !isWriting(step))
  if (rest.some(isWriting)) return rest
  return [...writingSteps({ slot: begin.slot, root: wanted.manifest.slot.root }, wanted, goal), ...rest]
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a'
}

export function isWriting({ kind }: Step): boolean {
  return kind === 'tree' || kind === 'blocks' || kind === 'finish'
}

/** Whether services stop for it. */
export function isRestart({ kind }: Step): boolean {
  return kind === 'restart'
}

export function bytesAtMost(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + ('atMost' in step ? step.atMost : 0), 0)
}

function isRunning({ root, state, slots, slot }: DeviceStatus, { manifest, manifestDigest }: Wanted): boolean {
  return state === 'committed' && root === manifest.slot.root && !isOther(slots[slot], manifestDigest)
}

function holds(held: SlotState, { manifest, manifestDigest }: Wanted): boolean {
  return held.state === 'bootable' && held.root === manifest.slot.root && !isOther(held, manifestDigest)
}

/** The kernel's parameters or the initramfs may differ where the root is the same: the manifest names them too. */
function isOther(held: SlotState, manifestDigest: string): boolean {
  return held.state === 'bootable' && held.manifest !== undefined && held.manifest !== manifestDigest
}

type Target = { readonly slot: Slot; readonly root: string }

function writingSteps({ slot, root }: Target, { manifest, bootSize }: Wanted, { transfer }: Goal): Step[] {
  const tree = treeSize(manifest.slot.dataBlocks)
  return [
    { kind: 'tree', slot, atMost: tree },
    { kind: 'blocks', part: 'slot', transfer, atMost: manifest.slot.size - tree },
    { kind: 'blocks', part: 'boot', transfer, atMost: bootSize },
    { kind: 'finish', slot, root },
  ]
}

function tryingSteps(target: Target): Step[] {
  return [
    { kind: 'arm', ...target },
    { kind: 'restart', ...target },
    { kind: 'health' },
    { kind: 'commit', ...target },
    { kind: 'confirm', ...target },
  ]
}
