import { containerAccounts } from '../images/ids.ts'
import { type ContainerProgram, interpretersOf } from '../images/layers/container-program.ts'
import { NPM_MODULES } from '../images/npm/npm-package.ts'
import { directory, type FileTree, file } from '../images/tree.ts'
import { type ContainerFile, type ContainerImage, type DebianImage, isJob, type NpmImage } from './container.ts'
import type { ContainerOnHost, HostServices } from './host-services.ts'

/** An image to build into a layer of its own: Debian packages, npm packages, and a tree over them. */
export interface BakedImage {
  readonly name: string
  readonly packages: readonly string[]
  /** The folder that names the npm packages. */
  readonly npm?: string
  /** Dependencies to leave out, in addition to those that every container leaves out. */
  readonly assumed: readonly string[]
  /** Packages whose maintainer scripts do not run. */
  readonly withoutScripts: readonly string[]
  readonly tree: FileTree
  /** The programs that the containers start from the image. */
  readonly programs: readonly ContainerProgram[]
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
  const { tree, ...content } = contentOf(image)
  const { passwd, group } = containerAccounts(user)
  return {
    name,
    ...content,
    programs: containers.flatMap(programsOf),
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

function programsOf({ name, command, health, files, environment }: ContainerOnHost): ContainerProgram[] {
  const { LD_LIBRARY_PATH: libraries } = environment
  const libraryPath = typeof libraries === 'string' ? libraries.split(':').filter((each) => each !== '') : []
  const programs = [command, ...(isJob(health) ? [] : [health.command])].flatMap(([program = '', ...given]) => {
    const modules = given.filter((each) => each.startsWith(NPM_MODULES))
    return startedBy(program, files[program]).map((each) => {
      return { container: name, program: each, ...(modules.length === 0 ? {} : { modules }), libraryPath }
    })
  })
  return [...new Map(programs.map((each) => [JSON.stringify(each), each])).values()]
}

/** A mounted script is not part of the image, but its interpreter is. */
function startedBy(program: string, mounted: ContainerFile | undefined): readonly string[] {
  if (mounted === undefined) return [program]
  return mounted.kind === 'text' ? interpretersOf(mounted.text) : []
}

function mountPoints({ volumes, files }: ContainerOnHost) {
  return [
    ...Object.keys(volumes).map((path) => [path, directory()] as const),
    ...Object.keys(files).map((path) => [path, file('')] as const),
  ]
}

type Content = Omit<BakedImage, 'name' | 'programs'>

function contentOf(image: ContainerImage): Content {
  if (image.source === 'debian') return debianContent(image)
  if (image.source === 'npm') return npmContent(image)
  throw new Error(`cannot build an image from '${image.source}': the checks of the host should have refused it`)
}

function debianContent({ packages, assumed = [], withoutScripts = {}, tree }: Omit<DebianImage, 'source'>): Content {
  return { packages, assumed, withoutScripts: Object.keys(withoutScripts), tree }
}

/** Packages that Debian's Node.js depends on for its users, and that no program in a container runs. */
const NODE_ASSUMED = ['node-corepack', 'openssl']

function npmContent({ folder, packages = [], assumed = [], withoutScripts = {}, tree = {} }: NpmImage): Content {
  const debian = { packages: ['nodejs', ...packages], assumed: [...NODE_ASSUMED, ...assumed], withoutScripts, tree }
  return { ...debianContent(debian), npm: folder }
}

function unused(name: string): never {
  throw new Error(`no container uses the image '${name}'`)
}
