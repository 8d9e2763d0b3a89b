import type { Architecture } from '../../images/architecture.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { checkHost } from './check.ts'
import { type ImageContext, imageOf, setsOf } from './image-of.ts'

/** The platform that assembles a host's image, as the builder's registry names it. */
export const PLATFORM = 'pi'

/** A host as the builder sees it: what to lock, and what to build of it. Refuses a host that cannot work. */
export function planOf(host: Host) {
  checkHost(host)
  return {
    name: host.name,
    platform: PLATFORM,
    host,
    sets: (builder: Architecture) => setsOf(host, builder),
    image: (context: ImageContext) => imageOf(host, context),
  }
}
