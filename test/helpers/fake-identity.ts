import { publicLine } from '../../images/identity/private-identity.ts'
import { Refused } from './fake-slots.ts'

/** Public halves of a host's own keys, the newest first. */
export interface FakeIdentity {
  readonly ssh: readonly string[]
  readonly age: readonly string[]
}

/** The identity after a controller has sent keys; the host keeps all keys that it has. */
export function renewed(before: FakeIdentity, sent: string): FakeIdentity {
  const keys = JSON.parse(sent) as { ssh: string[]; age: { recipient: string }[] }
  const after = { ssh: keys.ssh.map(publicLine), age: keys.age.map(({ recipient }) => recipient) }
  const isKept =
    before.ssh.every((key) => after.ssh.includes(key)) && before.age.every((key) => after.age.includes(key))
  if (!isKept) throw new Refused('identity', 'a key that this host has is not among them')
  return after
}
