import type { BuildContext } from '../../builder/context.ts'

/** A context with a separate Debian lock file: its packages do not move the versions that images use. */
export function withLockFile(context: BuildContext, lockFile: string): BuildContext {
  return { ...context, sources: context.sources.map((each) => (each.name === 'debian' ? { ...each, lockFile } : each)) }
}
