import { UserError } from '../errors.ts'
import type { Connect, KnownHost } from './controller.ts'
import type { DeviceStatus } from './ssh/status.ts'

/** The status of one host, or the reason why the host did not answer. */
export type HostStatus = ReachableHost | UnreachableHost

export interface ReachableHost {
  readonly host: string
  readonly reachable: true
  readonly status: DeviceStatus
}

export interface UnreachableHost {
  readonly host: string
  readonly reachable: false
  readonly error: UserError
}

export interface StatusRequest {
  readonly targets: readonly KnownHost[]
  readonly connect: Connect
}

/** Asks all hosts for their status at the same time. An unreachable host is a result, not an error. */
export function readStatuses({ targets, connect }: StatusRequest): Promise<HostStatus[]> {
  return Promise.all(
    targets.map(async (target): Promise<HostStatus> => {
      const { host } = target
      try {
        const status = await connect(target, (reached) => reached.status())
        return { host, reachable: true, status }
      } catch (error) {
        if (error instanceof UserError) return { host, reachable: false, error }
        throw error
      }
    }),
  )
}
