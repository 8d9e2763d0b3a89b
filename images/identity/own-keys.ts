import { canonicalText } from '../canonical.ts'
import type { PrivateIdentity } from './private-identity.ts'

/** A host's own keys as its agent takes them (overlays/device/agent/renew-identity.sh): values alone, none of which says where it goes. */
export function ownKeysText({ ssh, age }: PrivateIdentity): string {
  return canonicalText({ format: 1, ssh, age }, 0)
}
