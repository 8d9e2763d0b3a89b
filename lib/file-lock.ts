import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { digestOf } from '../images/digest.ts'

/** The longest wait for the lock, in milliseconds. Other runs hold it only for seconds. */
const PATIENCE = 120_000
const INTERVAL = 50

/**
 * Runs `use` while no other process on this machine holds the lock of the same directory. The lock is an abstract Unix
 * socket, which the kernel removes when its process ends, so that a killed process leaves no stale lock.
 */
export async function withFileLock<T>(
  directory: string,
  use: () => Promise<T>,
  { patience = PATIENCE, busy = stillWriting } = {},
): Promise<T> {
  const name = `\0hangar-${digestOf(directory)}`
  const deadline = performance.now() + patience
  for (;;) {
    const held = await hold(name)
    if (held !== undefined) return use().finally(held)
    if (performance.now() > deadline) throw busy(directory)
    await sleep(INTERVAL)
  }
}

/** Takes the lock, and returns a function that releases it; undefined if another process holds the lock. */
function hold(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen({ path: name }, () => resolve(() => void server.close()))
  })
}

/**
 * Allows one run at a time to change a host, because two runs would write different images to one slot. Fails
 * immediately if another run holds the lock.
 */
export function withHostLocks<T>(project: string, hosts: readonly string[], use: () => Promise<T>): Promise<T> {
  const [host, ...others] = hosts
  if (host === undefined) return use()
  const options = { patience: 0, busy: () => stillFlashing(host) }
  return withFileLock(join(project, 'hosts', host), () => withHostLocks(project, others, use), options)
}

function stillFlashing(host: string): UserError {
  return new UserError('busy', `another 'npm run flash' of '${host}' is running in this project`, {
    hint: 'wait until the other flash ends, or stop it with Ctrl-C; then run the same command again: it continues where the other flash stopped',
  })
}

function stillWriting(directory: string): UserError {
  return new UserError('busy', `another build still writes to '${directory}'`, {
    hint: 'wait until the other build ends, or stop it, then run the same command again',
  })
}
