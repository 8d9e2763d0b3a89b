import { z } from 'zod'
import { plainText } from './plain-text.ts'

// Whatever a device says may be anything: each value has a form and a greatest length. Keys that are not known are
// passed over: a newer agent may say more.

const text = z.string().max(4096).transform(plainText)
const word = z.string().regex(/^[A-Za-z0-9_.+=~:@/-]{1,200}$/)
const count = z.number().int().nonnegative()
/** Seconds of the last moment whose year has four digits: of what is later there is no date to print. */
const LAST = 253_402_300_799
const time = count.max(LAST)
const slot = z.enum(['a', 'b'])
const root = z.string().regex(/^[0-9a-f]{64}$/)
const serial = z.object({ time, number: count })
const optionalText = text.nullish().transform((value) => value || undefined)

export const healthSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('healthy') }),
  z.object({ state: z.literal('unhealthy'), reasons: z.array(text).max(256) }),
])

const slotState = z.discriminatedUnion('state', [
  /** `manifest`: its digest, where the agent says it: two generations may differ in their boot files alone. */
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
  /** Why it was reverted, or what a trial still waits for. */
  reason: optionalText,
  data: z.enum(['snapshot', 'as-was']).nullish(),
  commit: z.enum(['controller', 'local']).nullish(),
})

/** What is asked again and again while a host starts. */
export const stateSchema = z.object({
  /** Another one after each start. */
  bootId: word,
  slot,
  root,
  /** Whether what runs stays, is on trial, or is neither. */
  state: z.enum(['committed', 'trial', 'fallback']),
  committed: z.enum(['a', 'b', 'damaged']),
  update: lastUpdate.nullable(),
  /** As the host itself saw it last; null where it is not on trial. */
  health: healthSchema.nullable(),
})

export const statusSchema = stateSchema.extend({
  protocols: z.array(count).max(64),
  host: word,
  board: word,
  layout: count,
  uptime: z.number().nonnegative().max(LAST),
  health: healthSchema,
  built: time,
  slots: z.object({ a: slotState, b: slotState }),
  /** Roots that were committed here, of those that the slots may hold, where the agent says so. */
  previouslyCommitted: z.array(root).max(2).optional(),
  /** Bytes of room for a generation, where the agent says so. */
  slotSize: count.optional(),
  trust: z.object({ serial, signing: z.array(text).max(64), revoked: z.array(text).max(1024) }),
  /** Public halves of its own keys, the newest first, where the agent says so. */
  identity: z.object({ ssh: z.array(text).max(64), age: z.array(text).max(64) }).optional(),
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

/** What a host says of itself. */
export type DeviceStatus = z.infer<typeof statusSchema>
export type TrialState = z.infer<typeof stateSchema>
export type SlotState = z.infer<typeof slotState>
export type Health = z.infer<typeof healthSchema>
