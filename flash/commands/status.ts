import { UserError } from '../../errors.ts'
import type { Generations } from '../generation.ts'
import { otherSlot } from '../plan.ts'
import type { Connect, Target } from '../remote/connect.ts'
import { type Looked, oneStatusText, statusText } from './status-text.ts'

export interface StatusCommand {
  readonly targets: readonly Target[]
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
  target: Target,
  { connect, generations }: Pick<StatusCommand, 'connect' | 'generations'>,
): Promise<Looked> {
  const { host } = target
  try {
    const status = await connect(target, (agent) => agent.status())
    return { host, reachable: true, status, generations: generations(host) }
  } catch (error) {
    if (error instanceof UserError) return { host, reachable: false, error }
    throw error
  }
}

/** For programs: `{host, reachable, status, generation}` or `{host, reachable, error}`. */
function plain(looked: Looked): unknown {
  if (!looked.reachable) {
    const { code, message, hint = null } = looked.error
    return { host: looked.host, reachable: false, error: { code, message, hint } }
  }
  const { host, status, generations } = looked
  const other = status.slots[otherSlot(status.slot)]
  const numberOf = (root: string | undefined) => (root === undefined ? null : (generations.get(root)?.number ?? null))
  const otherGeneration = numberOf(other.state === 'bootable' ? other.root : undefined)
  return { host, reachable: true, generation: numberOf(status.root), otherGeneration, status }
}
