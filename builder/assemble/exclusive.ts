import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { digestOf } from '../../images/digest.ts'

/** Milliseconds: the other one writes for seconds. */
const PATIENCE = 120_000
const INTERVAL = 50

/**
 * One run at a time writes to a directory; others on this machine wait for it. What is held is an abstract socket: it
 * goes with its process, however that ends, so that nothing stale is ever left.
 */
export async function exclusively<T>(
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

/** What releases it; undefined where another process has it. */
function hold(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen({ path: name }, () => resolve(() => void server.close()))
  })
}

/** One run at a time changes a project's hosts: two would write different images to one slot. The other is not waited for. */
export function aloneWithHosts<T>(project: string, use: () => Promise<T>): Promise<T> {
  return exclusively(`hosts of ${project}`, use, { patience: 0, busy: () => stillFlashing(project) })
}

function stillFlashing(project: string): UserError {
  return new UserError('busy', `another 'npm run flash' of '${project}' is at work`, {
    hint: 'wait for it to end, or end it (Ctrl-C where it runs): the same command goes on where it stopped',
  })
}

function stillWriting(directory: string): UserError {
  return new UserError('busy', `another build still writes to '${directory}'`, {
    hint: 'wait for it to end, or end it, and type the same command again',
  })
}
