import { join } from 'node:path'
import { withFileLock } from '../../lib/file-lock.ts'

/** Runs `use` while no other process changes the keys and secrets in `hosts/`. The lock is not reentrant. */
export function withHostsLock<T>({ project }: { readonly project: string }, use: () => Promise<T>): Promise<T> {
  return withFileLock(join(project, 'hosts'), use)
}
