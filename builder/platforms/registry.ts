import { UserError } from '../../errors.ts'
import type { PlannedImage } from '../host-plan.ts'
import { pi } from './pi/platform.ts'
import type { Platform } from './platform.ts'

/** All platforms. To add one, add a folder beside this file and a row here. */
const PLATFORMS: Readonly<Record<string, Platform>> = { pi: ofAnyImage(pi) }

/**
 * The platform of records and published images that name no platform. Older versions of hangar had only this platform.
 */
export const FIRST_PLATFORM = 'pi'

/** The platform with this name; throws 'format' for a name that this version of hangar does not know. */
export function platformNamed(name: string = FIRST_PLATFORM): Platform {
  const found = PLATFORMS[name]
  if (found !== undefined) return found
  throw new UserError('format', `unknown platform '${name}', wanted one of: ${Object.keys(PLATFORMS).join(', ')}`, {
    hint: 'update hangar: git pull && npm ci',
  })
}

/**
 * The cast is safe, because a plan names the platform that assembles its image: a platform gets only images of its own
 * plans.
 */
function ofAnyImage<Image extends PlannedImage>(platform: Platform<Image>): Platform {
  return platform as unknown as Platform
}

/** The field `platform` of records and published images. `FIRST_PLATFORM` has no such field. */
export function platformField(name: string): { readonly platform?: string } {
  return name === FIRST_PLATFORM ? {} : { platform: name }
}
