import { UserError } from '../../../errors.ts'
import type { Manifest } from '../../../images/manifest.ts'
import type { Slot } from '../../../images/names.ts'
import { treeSize } from '../../../images/slot/verity.ts'
import type { Goal } from '../../goal.ts'
import { type DeviceStatus, otherSlot, type SlotState } from '../../ssh/status.ts'
import type { Ending, RevertData } from '../target.ts'
import { requireUpdatable } from './refusals.ts'
import { isWriting, type RevertStep, type UpdateStep } from './step.ts'

/** The facts of an artifact that decide the plan. */
export interface Wanted {
  readonly manifest: Manifest
  readonly manifestDigest: string
  readonly bootSize: number
}

/** The steps from what the host runs to the wanted image; none if the host runs it. Throws if the host refuses it. */
export function planUpdate(status: DeviceStatus, wanted: Wanted, goal: Goal): UpdateStep[] {
  if (isRunning(status, wanted)) return []
  requireUpdatable(status, wanted.manifest, goal)
  const aim = { slot: otherSlot(status.slot), root: wanted.manifest.slot.root as string }
  const isWritten = holds(status.slots[aim.slot], wanted)
  const begin: UpdateStep = { kind: 'begin', slot: aim.slot, downgrade: goal.downgrade }
  const writing = isWritten ? [] : writingSteps(aim, wanted, goal)
  const last: readonly UpdateStep[] = goal.kind === 'stage' ? [{ kind: 'release', slot: aim.slot }] : trialSteps(aim)
  return [begin, ...writing, ...last]
}

/** Keys come first, so that the trial of the new image has them. They need no restart. */
export function withIdentity(keys: Uint8Array | undefined, steps: readonly UpdateStep[]): UpdateStep[] {
  if (keys === undefined) return [...steps]
  const rest: readonly UpdateStep[] = steps.length === 0 ? [{ kind: 'release' }] : steps
  return [{ kind: 'identity', atMost: keys.length }, ...rest]
}

export function endingOf(planned: readonly UpdateStep[], keys: Uint8Array | undefined, goal: Goal): Ending {
  if (planned.length === 0) return keys === undefined ? 'nothing' : 'renewed'
  return goal.kind === 'stage' ? 'staged' : 'updated'
}

/**
 * The steps that are left after the host's answer to `begin`. The host checks more than its status shows: a slot that
 * seemed complete may need writing, and one that seemed to need writing may be complete.
 */
export function stepsAfterBegin(
  planned: readonly UpdateStep[],
  state: 'begun' | 'written',
  wanted: Wanted,
  goal: Goal,
): UpdateStep[] {
  const [begin, ...rest] = planned
  if (begin?.kind !== 'begin') throw new Error(`a plan starts with '${begin?.kind}', wanted 'begin'`)
  if (state === 'written') return rest.filter((step) => !isWriting(step))
  if (rest.some(isWriting)) return rest
  return [...writingSteps({ slot: begin.slot, root: wanted.manifest.slot.root }, wanted, goal), ...rest]
}

function isRunning({ root, state, slots, slot }: DeviceStatus, { manifest, manifestDigest }: Wanted): boolean {
  return state === 'committed' && root === manifest.slot.root && !isOther(slots[slot], manifestDigest)
}

function holds(held: SlotState, { manifest, manifestDigest }: Wanted): boolean {
  return held.state === 'bootable' && held.root === manifest.slot.root && !isOther(held, manifestDigest)
}

/** Images with the same root may differ in kernel parameters or initramfs, which only the manifest names. */
function isOther(held: SlotState, manifestDigest: string): boolean {
  return held.state === 'bootable' && held.manifest !== undefined && held.manifest !== manifestDigest
}

interface Aim {
  readonly slot: Slot
  readonly root: string
}

function writingSteps({ slot, root }: Aim, { manifest, bootSize }: Wanted, { transfer }: Goal): UpdateStep[] {
  const tree = treeSize(manifest.slot.dataBlocks)
  return [
    // Without the tree the host cannot tell which blocks it lacks, and takes none.
    { kind: 'tree', slot, atMost: tree },
    { kind: 'blocks', part: 'slot', transfer, atMost: manifest.slot.size - tree },
    { kind: 'blocks', part: 'boot', transfer, atMost: bootSize },
    // The first block of the boot file system comes last: until then the firmware cannot boot the slot.
    { kind: 'finish', slot, root },
  ]
}

function trialSteps(aim: Aim): UpdateStep[] {
  return [
    // Only a complete slot is armed, and only the next boot uses it: any failure ends on the committed slot.
    { kind: 'arm', ...aim },
    { kind: 'restart', ...aim },
    { kind: 'health' },
    // A commit over the network proves that the controller can reach the new image.
    { kind: 'commit', ...aim },
    { kind: 'confirm', ...aim },
  ]
}

export interface PlannedRevert extends Aim {
  readonly ending: 'reverted' | 'trial-ended'
  readonly steps: readonly RevertStep[]
}

/** The steps back to the previous slot. Throws if that slot holds nothing that was committed on this host. */
export function planRevert(status: DeviceStatus, data: RevertData): PlannedRevert {
  const { host, slot, state } = status
  const other = otherSlot(slot)
  const held = status.slots[other]
  if (held.state !== 'bootable') {
    throw new UserError('update', `not reverted: slot ${other} of '${host}' is ${held.state}`, {
      hint: `'${host}' keeps running slot ${slot}. To install an older image, build it, then: npm run flash ${host} -- --allow-downgrade`,
    })
  }
  const aim = { slot: other, root: held.root }
  const last: readonly RevertStep[] = [
    { kind: 'restart', ...aim },
    { kind: 'await-commit', ...aim },
    { kind: 'confirm', ...aim },
  ]
  // Any restart ends a trial. The committed slot then has its own data, which the trial did not touch.
  if (state === 'trial') return { ending: 'trial-ended', ...aim, steps: last }
  requirePreviouslyCommitted(status, other, held.root)
  return { ending: 'reverted', ...aim, steps: [{ kind: 'arm-revert', ...aim, data }, ...last] }
}

/** A revert commits itself: with an image that was never reached over the network it could lock out its owner. */
function requirePreviouslyCommitted(
  { host, previouslyCommitted, update, slot: running }: DeviceStatus,
  slot: Slot,
  root: string,
) {
  if (previouslyCommitted === undefined || previouslyCommitted.includes(root)) return
  const tried = update?.slot === slot && update.phase === 'reverted'
  const why = tried ? `its trial failed: ${update.reason ?? 'the host gives no reason'}` : 'it was never tried'
  throw new UserError(
    'update',
    `not reverted: slot ${slot} of '${host}' holds an image that was never committed there: ${why}`,
    { hint: `'${host}' keeps running slot ${running}. To try the image of slot ${slot} again: npm run flash ${host}` },
  )
}
