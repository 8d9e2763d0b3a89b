import { containerAccounts } from '../images/ids.ts'
import { directory, type FileTree, file } from '../images/tree.ts'
import type { ContainerImage } from './container.ts'
import type { ContainerOnHost, HostServices } from './host-services.ts'

/** An image to build into a layer of its own: Debian packages, npm packages, and a tree over them. */
export interface BakedImage {
  readonly name: string
  readonly packages: readonly string[]
  /** The folder that names the npm packages. */
  readonly npm?: string
  readonly tree: FileTree
}

/** The container images of a host, in the order of its services and their containers. */
export function bakedImages({ services }: HostServices): BakedImage[] {
  const containers = services.flatMap((each) => each.containers)
  const names = [...new Set(containers.map(({ imageName }) => imageName))]
  return names.map((name) =>
    bakedImage(
      name,
      containers.filter(({ imageName }) => imageName === name),
    ),
  )
}

/** The user of the image: containers that share an image also share its user. */
function bakedImage(name: string, containers: readonly ContainerOnHost[]): BakedImage {
  const [{ image, user } = unused(name)] = containers
  const { tree, ...packages } = contentOf(image)
  const { passwd, group } = containerAccounts(user)
  return {
    name,
    ...packages,
    tree: {
      // Adds every mount point, because the root file system is read-only.
      ...Object.fromEntries(['/tmp', '/proc', '/sys', '/dev', '/run', '/var/tmp'].map((path) => [path, directory()])),
      '/etc/passwd': file(passwd),
      '/etc/group': file(group),
      '/etc/nsswitch.conf': file('passwd: files\ngroup: files\nhosts: files dns\n'),
      ...Object.fromEntries(containers.flatMap(mountPoints)),
      ...tree,
    },
  }
}

function mountPoints({ volumes, files }: ContainerOnHost) {
  return [
    ...Object.keys(volumes).map((path) => [path, directory()] as const),
    ...Object.keys(files).map((path) => [path, file('')] as const),
  ]
}

function contentOf(image: ContainerImage): Omit<BakedImage, 'name'> {
  if (image.source === 'debian') return { packages: image.packages, tree: image.tree }
  if (image.source === 'npm') {
    const { folder: npm, packages = [], tree = {} } = image
    return { packages: ['nodejs', ...packages], npm, tree }
  }
  throw new Error(`cannot build an image from '${image.source}': the checks of the host should have refused it`)
}

function unused(name: string): never {
  throw new Error(`no container uses the image '${name}'`)
}
