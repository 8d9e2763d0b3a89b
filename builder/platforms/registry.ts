import { UserError } from '../../errors.ts'
import type { PlannedImage } from '../host-plan.ts'
import { pi } from './pi/platform.ts'
import type { Platform } from './platform.ts'

/** A new platform is one folder beside this file and one row here. */
const PLATFORMS: Readonly<Record<string, Platform>> = { pi: ofAnyImage(pi) }

/** The platform of records and published images without a platform: older hangars had only this one. */
export const FIRST_PLATFORM = 'pi'

/** The platform of this name; throws 'format' for a name that this hangar does not know. */
export function platformNamed(name: string = FIRST_PLATFORM): Platform {
  const found = PLATFORMS[name]
  if (found !== undefined) return found
  throw new UserError('format', `unknown platform '${name}', wanted one of: ${Object.keys(PLATFORMS).join(', ')}`, {
    hint: 'update hangar: git pull && npm ci',
  })
}

/** Safe, because a plan names the platform that assembles its image: a platform gets only images of its own plans. */
function ofAnyImage<Image extends PlannedImage>(platform: Platform<Image>): Platform {
  return platform as unknown as Platform
}

/** The platform as records and published images name it. */
export function platformField(name: string): { readonly platform?: string } {
  return name === FIRST_PLATFORM ? {} : { platform: name }
}
