import { UserError } from '../../../errors.ts'
import type { Manifest } from '../../../images/manifest.ts'
import type { Slot } from '../../../images/names.ts'
import { treeSize } from '../../../images/slot/verity.ts'
import type { Goal } from '../../goal.ts'
import { type DeviceStatus, otherSlot, type SlotState } from '../../ssh/status.ts'
import type { Ending, RevertData } from '../target.ts'
import { requireUpdatable } from './refusals.ts'
import { isWriting, type RevertStep, type UpdateStep } from './step.ts'

/** The facts about an artifact on which the plan depends. */
export interface Wanted {
  readonly manifest: Manifest
  readonly manifestDigest: string
  readonly bootSize: number
}

/**
 * The steps of an update to the wanted image; empty if the host already runs it. Throws if the host must not get this
 * image.
 */
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

/** Sends keys first, so that the trial of the new image has them. New keys need no restart. */
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
 * The remaining steps after the host's answer to `begin`. The host has now verified the slot: it may have to be written
 * although the status showed it as complete, or the reverse.
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

/** Compares manifests too: images with the same root hash may differ in kernel parameters or initramfs. */
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
    // Sends the hash tree first: without the tree, the host cannot check blocks and refuses them.
    { kind: 'tree', slot, atMost: tree },
    { kind: 'blocks', part: 'slot', transfer, atMost: manifest.slot.size - tree },
    { kind: 'blocks', part: 'boot', transfer, atMost: bootSize },
    // Sends the first block of the boot file system last: before that, the firmware cannot boot the slot.
    { kind: 'finish', slot, root },
  ]
}

function trialSteps(aim: Aim): UpdateStep[] {
  return [
    // hangar arms only a complete slot, and only for the next boot: after any failure the host boots the committed
    // slot.
    { kind: 'arm', ...aim },
    { kind: 'restart', ...aim },
    { kind: 'health' },
    // The controller commits an update over the network. This proves that it can still reach the host with the new
    // image.
    { kind: 'commit', ...aim },
    { kind: 'confirm', ...aim },
  ]
}

export interface PlannedRevert extends Aim {
  readonly ending: 'reverted' | 'trial-ended'
  readonly steps: readonly RevertStep[]
}

/** The steps of a revert to the previous slot. Throws unless the image in that slot was committed on this host. */
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
  // Ends a running trial by a restart. The committed slot still has its own data, which the trial did not change.
  if (state === 'trial') return { ending: 'trial-ended', ...aim, steps: last }
  requirePreviouslyCommitted(status, other, held.root)
  return { ending: 'reverted', ...aim, steps: [{ kind: 'arm-revert', ...aim, data }, ...last] }
}

/**
 * Refuses a revert to an image that no controller has reached: a revert commits itself, and such an image could lock
 * out the owner.
 */
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
