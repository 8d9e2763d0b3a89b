import { UserError } from '../../../errors.ts'
import type { PublicIdentity } from '../../../images/identity/public-identity.ts'
import type { Progress } from '../../../lib/reporter.ts'
import type { DeviceStatus } from '../../ssh/status.ts'
import type { OwnIdentity } from '../target.ts'

/**
 * The private keys to send to the host; undefined if the host has all keys. Compares the public halves, so that only a
 * controller that has to send keys needs the owner's age key. Without this key the update continues, and prints a
 * notice.
 */
export async function keysToSend(
  status: DeviceStatus,
  { known, open }: OwnIdentity,
  progress: Progress,
): Promise<Uint8Array | undefined> {
  const skip = (why: string) => void progress.notice(`${status.host} keeps its current keys: ${why}`)
  if (known === undefined || status.state !== 'committed') return undefined
  switch (compare(status.identity, known)) {
    case 'same':
      return undefined
    case 'not reported':
      if (known.ssh.length + known.age.length > 2)
        skip('its current image accepts no keys over the network; flash again after this update')
      return undefined
    case 'others':
      return skip(`it has a key that hosts/${status.host}.identity.json does not list: git pull`)
    case 'behind':
      return open().catch((error) => {
        if (!(error instanceof UserError) || error.code !== 'key') throw error
        skip([error.message, ...(error.hint === undefined ? [] : [error.hint])].join('; '))
        return undefined
      })
  }
}

type Comparison = 'same' | 'behind' | 'others' | 'not reported'

function compare(have: DeviceStatus['identity'], { ssh, age }: PublicIdentity): Comparison {
  if (have === undefined) return 'not reported'
  const isKnown = have.ssh.every((key) => ssh.includes(key)) && have.age.every((key) => age.includes(key))
  if (!isKnown) return 'others'
  return isEqual(have.ssh, ssh) && isEqual(have.age, age) ? 'same' : 'behind'
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index])
}
