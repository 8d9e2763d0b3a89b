import { UserError } from '../../../errors.ts'
import type { PublicIdentity } from '../../../images/identity/public-identity.ts'
import type { Progress } from '../../progress.ts'
import type { DeviceStatus } from '../../ssh/status.ts'
import type { Step } from './plan.ts'

/** A host's own identity as the repository has it. */
export interface OwnIdentity {
  /** What anybody may know of it; undefined where none was made. */
  readonly known: PublicIdentity | undefined
  /** The private keys as the agent takes them; undefined where they are on the host's own disk alone. */
  readonly open: () => Promise<Uint8Array | undefined>
}

/**
 * The keys that a host is to be brought, undefined for none. What is public decides, so that only who has something to
 * bring needs the owner's key; who has not got that goes on without.
 */
export async function keysToBring(
  status: DeviceStatus,
  { known, open }: OwnIdentity,
  progress: Progress,
): Promise<Uint8Array | undefined> {
  const skip = (why: string) => void progress.notice(`${status.host} keeps the keys that it has: ${why}`)
  if (known === undefined || status.state !== 'committed') return undefined
  switch (compare(status.identity, known)) {
    case 'same':
      return undefined
    case 'not said':
      if (known.ssh.length + known.age.length > 2)
        skip('what runs there takes none over the network; once this image does, flash again')
      return undefined
    case 'others':
      return skip(`it has one that hosts/${status.host}.identity.json does not know: git pull`)
    case 'behind':
      return open().catch((error) => {
        if (!(error instanceof UserError) || error.code !== 'key') throw error
        skip([error.message, ...(error.hint === undefined ? [] : [error.hint])].join('; '))
        return undefined
      })
  }
}

/** Keys come first: what the new image wants of them is there before its trial. Nothing restarts for them. */
export function withIdentity(keys: Uint8Array | undefined, steps: readonly Step[]): Step[] {
  if (keys === undefined) return [...steps]
  const rest: readonly Step[] = steps.length === 0 ? [{ kind: 'release' }] : steps
  return [{ kind: 'identity', atMost: keys.length }, ...rest]
}

type Comparison = 'same' | 'behind' | 'others' | 'not said'

function compare(have: DeviceStatus['identity'], { ssh, age }: PublicIdentity): Comparison {
  if (have === undefined) return 'not said'
  const isKnown = have.ssh.every((key) => ssh.includes(key)) && have.age.every((key) => age.includes(key))
  if (!isKnown) return 'others'
  return isEqual(have.ssh, ssh) && isEqual(have.age, age) ? 'same' : 'behind'
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index])
}
