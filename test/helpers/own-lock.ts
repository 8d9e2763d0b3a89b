import type { BuildContext } from '../../builder/context.ts'

/** A context whose Debian lock is another file: packages in it do not move those that images share with it. */
export function withLockFile(context: BuildContext, lockFile: string): BuildContext {
  return { ...context, sources: context.sources.map((each) => (each.name === 'debian' ? { ...each, lockFile } : each)) }
}
