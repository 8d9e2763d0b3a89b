import { UserError } from '../../errors.ts'
import type { Connect, KnownHost } from '../../flash/controller.ts'
import type { SlotState } from '../../flash/ssh/status.ts'
import type { Generations } from '../generation-name.ts'
import { type Looked, oneStatusText, statusText } from './status-text.ts'

export interface StatusCommand {
  readonly targets: readonly KnownHost[]
  /** `one`: the owner named it, and is told of a failure as of any other; `all`: a host that is off is an answer. */
  readonly asked: 'one' | 'all'
  readonly format: 'text' | 'json'
  readonly generations: (host: string) => Generations
  readonly connect: Connect
}

/** Looks at hosts at the same time. Only a host that was named and cannot be read is a failure, and not as JSON. */
export async function statusCommand({ targets, asked, format, ...rest }: StatusCommand): Promise<string> {
  const looked = await Promise.all(targets.map((target) => look(target, rest)))
  if (format === 'json') return JSON.stringify(looked.map(plain), undefined, 2)
  const [only] = looked
  if (asked === 'all' || only === undefined) return statusText(looked)
  if (!only.reachable) throw only.error
  return oneStatusText(only)
}

async function look(
  target: KnownHost,
  { connect, generations }: Pick<StatusCommand, 'connect' | 'generations'>,
): Promise<Looked> {
  const { host } = target
  try {
    const status = await connect(target, (reached) => reached.status())
    return { host, reachable: true, status, generations: generations(host) }
  } catch (error) {
    if (error instanceof UserError) return { host, reachable: false, error }
    throw error
  }
}

/** For programs: `{host, reachable, generations, status}` or `{host, reachable, error}`. */
function plain(looked: Looked): unknown {
  if (!looked.reachable) {
    const { code, message, hint = null } = looked.error
    return { host: looked.host, reachable: false, error: { code, message, hint } }
  }
  const { host, status, generations } = looked
  const { a, b } = status.slots
  return { host, reachable: true, generations: { a: known(a, generations), b: known(b, generations) }, status }
}

/** What this machine's store knows of a slot: `{number, built}`, null where another machine built it or nothing is there. */
function known(slot: SlotState, generations: Generations) {
  const generation = slot.state === 'bootable' ? generations.get(slot.root) : undefined
  return generation === undefined ? null : { number: generation.number, built: generation.built }
}
