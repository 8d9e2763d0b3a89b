import type { Architecture } from '../images/architecture.ts'
import type { Image } from '../images/image.ts'
import type { LockedPackage } from '../images/lock.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import type { Assets } from './assets.ts'

/** What the builder may know of a host: it sees neither host files nor overlays. */
export interface HostPlan {
  readonly name: string
  /** Paths below `overlays/device` that the image is made from. */
  readonly deviceSources: readonly string[]
  sets(builder: Architecture): readonly ArchitectureSet[]
  image(context: PlanContext): Image
}

export interface PlanContext extends Assets {
  readonly builder: Architecture
  readonly sshKeys: readonly string[]
  locked(set: ArchitectureSet): readonly LockedPackage[]
  readonly time: number
}
