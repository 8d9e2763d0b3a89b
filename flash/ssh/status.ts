import { z } from 'zod'
import type { Slot } from '../../images/names.ts'
import { plainText } from './remote.ts'

// Schemas for the agent's answers. A device may send any bytes, so each value has a form and a maximum length. Unknown
// keys are ignored, because a newer agent may add some.

const text = z.string().max(4096).transform(plainText)
const word = z.string().regex(/^[A-Za-z0-9_.+=~:@/-]{1,200}$/)
const count = z.number().int().nonnegative()
/** The largest valid time, the last second of the year 9999: hangar cannot print a later time as a date. */
const LAST = 253_402_300_799
const time = count.max(LAST)
const slot = z.enum(['a', 'b'])
const root = z.string().regex(/^[0-9a-f]{64}$/)
const serial = z.object({ time, number: count })
const optionalText = text.nullish().transform((value) => value || undefined)

/** The services that wait for a missing device, if there are any. They do not make a host unhealthy. */
const waiting = z.array(text).max(256).optional()

export const healthSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('healthy'), waiting }),
  z.object({ state: z.literal('unhealthy'), reasons: z.array(text).max(256), waiting }),
])

const slotState = z.discriminatedUnion('state', [
  /**
   * `manifest` is the digest of the manifest, if the agent reports it. Two generations with the same root may differ in
   * their boot files.
   */
  z.object({ state: z.literal('bootable'), root, serial, manifest: root.optional() }),
  z.object({ state: z.literal('empty') }),
  z.object({ state: z.literal('unbootable') }),
])

const lastUpdate = z.object({
  id: word,
  kind: z.enum(['update', 'revert', 'rescue']),
  slot,
  root: z
    .union([root, z.enum(['', '-'])])
    .nullish()
    .transform((value) => (value && value !== '-' ? value : undefined)),
  phase: z.enum(['writing', 'written', 'armed', 'trial', 'committed', 'reverted']),
  /** The reason why the trial failed, or why it is not healthy yet. */
  reason: optionalText,
  data: z.enum(['snapshot', 'as-was']).nullish(),
  commit: z.enum(['controller', 'local']).nullish(),
})

/** The short status, which a controller requests repeatedly while a host boots. */
export const stateSchema = z.object({
  /** The kernel's boot ID, which is new at each boot. */
  bootId: word,
  slot,
  root,
  /** Whether the running slot is committed, on trial, or neither: a fallback boot. */
  state: z.enum(['committed', 'trial', 'fallback']),
  committed: z.enum(['a', 'b', 'damaged']),
  update: lastUpdate.nullable(),
  /** The last health result of the trial; null if the host is not on trial. */
  health: healthSchema.nullable(),
})

/** How the starts of the running slot ended, as long as it is committed (docs/update.md). */
const starts = z.discriminatedUnion('state', [
  z.object({ state: z.literal('normal') }),
  /** `failed` starts in a row failed by themselves. */
  z.object({ state: z.literal('failing'), failed: count, reason: text }),
  /** This slot took the place of `slot`, whose starts failed. */
  z.object({ state: z.literal('left'), slot, reason: text }),
  /** Both slots fail: this one stays. */
  z.object({ state: z.literal('stays'), stays: text, reason: text }),
])

export const statusSchema = stateSchema.extend({
  protocols: z.array(count).max(64),
  host: word,
  board: word,
  layout: count,
  uptime: z.number().nonnegative().max(LAST),
  health: healthSchema,
  built: time,
  slots: z.object({ a: slotState, b: slotState }),
  /** The root hashes of the slots that were committed on this host, if the agent reports them. */
  previouslyCommitted: z.array(root).max(2).optional(),
  /** The size of a slot in bytes, if the agent reports it. */
  slotSize: count.optional(),
  trust: z.object({ serial, signing: z.array(text).max(64), revoked: z.array(text).max(1024) }),
  /** The public halves of the host's own keys, newest first, if the agent reports them. */
  identity: z.object({ ssh: z.array(text).max(64), age: z.array(text).max(64) }).optional(),
  /** If the agent reports it. */
  starts: starts.optional(),
  lock: z.object({ owner: text, age: count }).nullable(),
  data: z
    .discriminatedUnion('state', [
      z.object({ state: z.literal('mounted'), size: count, used: count }),
      z.object({ state: z.literal('failed'), reason: optionalText }),
    ])
    .nullable(),
  clock: z.object({ now: time, source: z.enum(['network', 'saved']) }),
  firmware: z.object({ version: text, time }),
  kernel: text,
})

/** A host's report about itself. */
export type DeviceStatus = z.infer<typeof statusSchema>
export type TrialState = z.infer<typeof stateSchema>
export type SlotState = z.infer<typeof slotState>
export type Health = z.infer<typeof healthSchema>

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a'
}
