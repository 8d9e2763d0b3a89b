import { containerAccounts } from '../images/ids.ts'
import { directory, type FileTree, file } from '../images/tree.ts'
import type { Host } from './host-facts.ts'
import { renderedServices } from './rendered.ts'

/** A container to bake into a layer of its own: packages, and a tree over them. */
export interface Container {
  readonly name: string
  readonly packages: readonly string[]
  readonly tree: FileTree
}

export function containersOf(host: Host): Container[] {
  return renderedServices(host).map(({ kind, rendered }) => {
    const { passwd, group } = containerAccounts(rendered.user)
    const mountPoints = [
      ...(rendered.data === undefined ? [] : [[rendered.data, directory()] as const]),
      ...Object.keys(rendered.configuration).map((path) => [path, file('')] as const),
    ]
    return {
      name: kind.name,
      packages: kind.container.packages,
      tree: {
        // The root is read-only: whatever is mounted over has to be there.
        ...Object.fromEntries(['/tmp', '/proc', '/sys', '/dev', '/run', '/var/tmp'].map((path) => [path, directory()])),
        '/etc/passwd': file(passwd),
        '/etc/group': file(group),
        '/etc/nsswitch.conf': file('passwd: files\ngroup: files\nhosts: files dns\n'),
        ...Object.fromEntries(mountPoints),
        ...kind.container.tree,
      },
    }
  })
}
