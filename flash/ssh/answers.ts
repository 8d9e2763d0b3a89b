import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { plainText } from './remote.ts'
import { type DeviceStatus, type Health, healthSchema, stateSchema, statusSchema, type TrialState } from './status.ts'

/** The version of the agent protocol that this controller speaks; see `docs/agent-protocol.md`. */
export const PROTOCOL = 1

const slot = z.enum(['a', 'b'])
const root = z.string().regex(/^[0-9a-f]{64}$/)
const id = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/)
const ok = z.literal(true)

const refusal = z.object({
  error: z.object({
    code: z.string().regex(/^[a-z-]{1,32}$/),
    message: z.string().max(4096).transform(plainText),
    hint: z.string().max(4096).transform(plainText).nullish(),
  }),
})

/** The schema of the answer to each call. */
export const ANSWERS = {
  begin: z.object({ slot, state: z.enum(['begun', 'written']) }),
  ok: z.object({ ok }),
  blocks: z.object({ ok, blocks: z.number().int().nonnegative() }),
  finish: z.object({ ok, slot, root }),
  arm: z.object({ ok, id }),
  commit: z.object({ ok, slot }),
  revert: z.object({ ok, id, slot, root }),
}
export type Answer<Name extends keyof typeof ANSWERS> = z.infer<(typeof ANSWERS)[Name]>

/**
 * The error for a call that the agent refused. `refusal` is the code of the protocol; message and hint come from the
 * agent.
 */
export class AgentRefusal extends UserError {
  readonly refusal: string

  constructor(refused: string, message: string, hint: string | undefined) {
    super('agent', message, hint === undefined ? {} : { hint })
    this.refusal = refused
  }
}

export function parseAnswer<Name extends keyof typeof ANSWERS>(host: string, name: Name, text: string): Answer<Name> {
  return parsed(host, name, ANSWERS[name] as unknown as z.ZodType<Answer<Name>>, text)
}

export function parseHealth(host: string, text: string): Health {
  return parsed(host, 'health', healthSchema, text)
}

export function parseState(host: string, text: string): TrialState {
  return parsed(host, 'state', stateSchema, text)
}

/** Checks the protocol versions first, because the status of an agent with another protocol may have any form. */
export function parseStatus(host: string, text: string): DeviceStatus {
  const { protocols } = parsed(host, 'status', statusSchema.pick({ protocols: true }), text)
  if (!protocols.includes(PROTOCOL)) throw otherProtocol(host, protocols)
  return parsed(host, 'status', statusSchema, text)
}

/** Parses the refusal of a call; undefined if the text is not a refusal. */
export function parseRefusal(host: string, text: string): AgentRefusal | undefined {
  const { error } = refusal.safeParse(jsonOf(text)).data ?? {}
  if (error === undefined) return undefined
  return new AgentRefusal(error.code, `'${host}' refuses: ${error.message}`, error.hint ?? undefined)
}

function parsed<T>(host: string, call: string, schema: z.ZodType<T>, text: string): T {
  const result = schema.safeParse(jsonOf(text))
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where = issue?.path.length ? ` at '${plainText(issue.path.join('.'))}': ${plainText(issue.message)}` : ''
  throw new UserError('agent', `cannot read the answer of the agent of '${host}' to '${call}'${where}`, {
    hint: 'use the hangar that built the image of the host, or the newest (git pull)',
    cause: result.error,
  })
}

function otherProtocol(host: string, protocols: readonly number[]): UserError {
  const isOlder = protocols.every((each) => each < PROTOCOL)
  return new UserError(
    'agent',
    `the agent of '${host}' speaks protocol ${protocols.join(', ') || 'none'}, this hangar speaks ${PROTOCOL}`,
    {
      hint: isOlder
        ? 'update the host with the version of hangar that built its image'
        : 'update this hangar: git pull',
    },
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
