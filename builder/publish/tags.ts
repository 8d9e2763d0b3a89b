import { type Digest, short } from '../../images/digest.ts'

/** Names the host's newest published image: it moves. */
export function hostTag(host: string): string {
  return host
}

/** Names one image for good, by the beginning of its root hash: numbers of generations are each store's own. */
export function imageTag(host: string, root: Digest): string {
  return `${host}-${short(root)}`
}
