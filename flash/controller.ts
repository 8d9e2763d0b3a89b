import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import type { Progress } from '../lib/reporter.ts'
import { type Clock, clockUntil } from './clock.ts'
import { ownerName } from './goal.ts'
import type { Address } from './ssh/address.ts'
import { withSsh } from './ssh/ssh.ts'
import type { Target, TargetDriver } from './targets/target.ts'
import { zstdCompress } from './transfer/compress.ts'
import { type ProgramRoot, programOf } from './vm/program.ts'

/** A host as the repository describes it. */
export interface KnownHost {
  readonly host: string
  readonly at: Address
  /** The SSH host keys that hangar accepts from the host, from hosts/HOST.identity.json. */
  readonly hostKeys: readonly string[]
  readonly driver: TargetDriver
}

/** Connects to a host for as long as `use` takes. */
export type Connect = <T>(known: KnownHost, use: (target: Target) => Promise<T>) => Promise<T>

/** This machine in its role as the controller of hosts. */
export interface Controller {
  readonly connect: Connect
  readonly clock: Clock
  /** The name of this project's controller in the lock of a host. */
  readonly owner: string
}

export interface ControllerOptions {
  /** The unpacked programs ssh and zstd. */
  readonly programs: ProgramRoot
  /** The owner's private key for logins. */
  readonly keyFile: string
  readonly project: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

export function controllerOf({ programs, keyFile, project, progress, signal }: ControllerOptions): Controller {
  const owner = ownerName(userName(), hostname(), project)
  const clock = clockUntil(signal)
  const compress = zstdCompress(programOf(programs, 'zstd'))
  const newId = () => randomBytes(8).toString('hex')
  const ssh = programOf(programs, 'ssh')
  return {
    ...{ owner, clock },
    connect: ({ driver, ...known }, use) =>
      withSsh({ ssh, keyFile, signal, ...known }, (remote) =>
        use(driver.open({ remote, owner, clock, compress, progress, newId })),
      ),
  }
}

/** The name of the user, or a default: in a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}
