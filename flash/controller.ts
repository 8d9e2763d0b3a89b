import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { type Clock, clockUntil } from './clock.ts'
import { ownerName } from './goal.ts'
import { type Connect, sshConnect } from './ssh/connect.ts'
import { type Compress, zstdCompress } from './transfer/compress.ts'
import { type ProgramRoot, programOf } from './vm/program.ts'

/** What this machine reaches hosts with. */
export interface Controller {
  readonly connect: Connect
  readonly compress: Compress
  readonly clock: Clock
  /** Who drives updates from this project, for the lock of a host that is written to. */
  readonly owner: string
  /** A name that no other trial has: the host commits the one that it is given, and no other. */
  newId(): string
}

export interface ControllerOptions {
  /** ssh and zstd. */
  readonly programs: ProgramRoot
  /** The owner's private key for logins. */
  readonly keyFile: string
  readonly project: string
  readonly signal: AbortSignal
}

export function controllerOf({ programs, keyFile, project, signal }: ControllerOptions): Controller {
  const owner = ownerName(userName(), hostname(), project)
  return {
    ...{ owner, clock: clockUntil(signal), compress: zstdCompress(programOf(programs, 'zstd')) },
    connect: sshConnect({ ssh: programOf(programs, 'ssh'), keyFile, owner, signal }),
    newId: () => randomBytes(8).toString('hex'),
  }
}

/** In a container there may be no such user. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}
