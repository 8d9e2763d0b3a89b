import type { Architecture } from '../../../images/architecture.ts'
import { BOARDS, type Board } from '../../../images/board.ts'
import { configTxt, INITRAMFS_NAME, KERNEL_ARGUMENTS } from '../../../images/boot.ts'
import type { HostCertificates } from '../../../images/certificates/need.ts'
import type { Derivation, Input } from '../../../images/derivation.ts'
import { accounts } from '../../../images/ids.ts'
import type { Image, Layer } from '../../../images/image.ts'
import { baseLayer } from '../../../images/layers/base/recipe.ts'
import { blocksProgram, nativeBlocks } from '../../../images/layers/blocks/recipe.ts'
import { containerLayer } from '../../../images/layers/container/recipe.ts'
import { hostLayer } from '../../../images/layers/host/recipe.ts'
import { initramfs } from '../../../images/layers/initramfs/recipe.ts'
import { kernelLayer } from '../../../images/layers/kernel/recipe.ts'
import type { LayerContext } from '../../../images/layers/layer-recipe.ts'
import { PATHS_FILE } from '../../../images/layers/paths-file.ts'
import { sbomRest } from '../../../images/layers/sbom/recipe.ts'
import { TRYBOOT_PROGRAM, trybootModule } from '../../../images/layers/tryboot-module/recipe.ts'
import type { LockedPackage } from '../../../images/lock.ts'
import { parseServiceName } from '../../../images/names.ts'
import { nodeVersionIn, requireEngines } from '../../../images/npm/engines.ts'
import type { NpmPackage, NpmRequest } from '../../../images/npm/npm-package.ts'
import type { ArchitectureSet, PackageSet } from '../../../images/package-set.ts'
import { type ContainerPackages, imageParts } from '../../../images/sbom/part.ts'
import { cross, INITRAMFS, KERNEL, NATIVE, SCRIPT_ONLY, TOOLCHAIN } from '../../../images/sets.ts'
import { type BakedImage, bakedImages } from '../../../overlays/baked-images.ts'
import { BASE_PACKAGES } from '../../../overlays/base/packages.ts'
import { authorizedKeys } from '../../../overlays/base/ssh.ts'
import { certificatesOf } from '../../../overlays/certificates.ts'
import { INITRAMFS_LIB, programPath, scriptsIn } from '../../../overlays/device/manifest.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { type HostServices, renderServices } from '../../../overlays/host-services.ts'
import { hostTree, signersOf } from '../../../overlays/host-tree.ts'
import type { Lab } from '../../../overlays/lab-facts.ts'
import type { ImageContext } from '../platform.ts'

/**
 * Dependencies that containers leave out. A container that requests one of them gets it. The maintainer scripts of a
 * container's packages run on the builder, with all dependencies (`scriptSet`).
 */
export const CONTAINER_ASSUMED = [
  // Programs of maintainer scripts, except Perl, because a program of the container may need it.
  ...SCRIPT_ONLY.filter((name) => name !== 'perl' && name !== 'perl-base'),
  // The service manager of the host starts containers.
  'systemd',
  'systemd-sysv',
  'init',
  'daemon',
  // Configuration of a web server.
  'javascript-common',
  // Containers use UTC.
  'tzdata',
  // Documentation, and legacy ciphers.
  'gcc-14-base',
  'openssl-provider-legacy',
]

/** The packages whose versions the manifest lists, in addition to the packages of services. */
const LISTED = ['linux-image-arm64', 'openssh-server', 'podman', 'systemd']

/** The packages of the `base` layer. */
export const BASE: PackageSet = { name: 'base', request: BASE_PACKAGES, essential: 'included', assumed: [] }

/** A Raspberry Pi and its rendered services. */
export interface RenderedPi {
  readonly host: Host
  readonly services: HostServices
  readonly certificates: HostCertificates
}

export function renderPi(host: Host, lab: Lab): RenderedPi {
  const services = renderServices(host, lab)
  return { host, services, certificates: certificatesOf(host, services, lab) }
}

/** Every package set that a host's image needs on a builder of the given architecture. */
export function setsOf({ host, services }: RenderedPi, builder: Architecture): ArchitectureSet[] {
  const { architecture } = BOARDS[host.board]
  const target = (set: PackageSet) => ({ set, architecture })
  return [
    { set: TOOLCHAIN, architecture: builder },
    target(BASE),
    ...(builder === architecture ? [] : [{ set: BASE, architecture: builder }]),
    target(KERNEL),
    target(INITRAMFS),
    target(NATIVE),
    { set: cross(builder), architecture: builder },
    ...bakedImages(services).flatMap((image) => [
      target(containerSet(image)),
      // The target needs the same versions as the builder, so the lock resolves the set for both.
      target(scriptSet(image)),
      ...(builder === architecture ? [] : [{ set: scriptSet(image), architecture: builder }]),
    ]),
  ]
}

/** The npm packages of a host's containers. */
export function npmRequests({ host, services }: RenderedPi): NpmRequest[] {
  return bakedImages(services).flatMap((image) => npmRequest(image, BOARDS[host.board].architecture) ?? [])
}

function npmRequest(image: BakedImage, architecture: Architecture): NpmRequest | undefined {
  if (image.npm === undefined) return undefined
  return { source: 'npm', folder: image.npm, beside: { set: containerSet(image), architecture } }
}

/** Describes the image of a host: its layers and boot files as derivations. Runs no derivation. */
export function imageOf({ host, services }: RenderedPi, context: ImageContext): Image {
  const board = BOARDS[host.board]
  const target = (set: PackageSet) => context.locked({ set, architecture: board.architecture })
  const native = (set: PackageSet) => context.locked({ set, architecture: context.builder })
  const kit = {
    cross: native(cross(context.builder)),
    target: target(NATIVE),
    kernel: target(KERNEL),
    sources: context.deviceFiles,
  }
  const layerContext: LayerContext = {
    builder: context.builder,
    target: board.architecture,
    toolchain: { name: 'build', architecture: context.builder, packages: native(TOOLCHAIN) },
    steps: context.steps,
  }
  const baked = bakedImages(services)
  const tryboot = trybootModule(layerContext, kit)
  const kernel = kernelLayer(layerContext, board, { packages: kit.kernel, tryboot })
  const boot = initramfs(layerContext, kernel, target(INITRAMFS), initramfsScripts(context))
  const containers = baked.map((each) => bakedLayer(each, layerContext, context))
  const base = baseLayer(layerContext, { native: native(BASE), target: target(BASE) }, accounts())
  const blocks = { from: nativeBlocks(layerContext, kit), file: 'blocks' }
  const layers: Layer[] = [
    { name: 'base', derivation: base },
    { name: 'kernel', derivation: kernel },
    ...containers,
    // Puts this layer last in the slot, because it changes most often: a change then moves only the hash tree after it.
    {
      name: 'host',
      derivation: hostLayer(layerContext, {
        tree: hostTree(host, services, context),
        programs: { [programPath('blocks')]: blocks },
        basePaths: { from: base, file: PATHS_FILE },
      }),
    },
  ]
  return {
    host: host.name,
    board,
    slotSize: host.slotSize,
    serial: { time: context.time, number: host.number },
    layers,
    bootFiles: bootFiles(board, kernel, boot),
    sbom: sbomRest(layerContext, {
      parts: imageParts(board, {
        base: target(BASE),
        kernel: kit.kernel,
        initramfs: target(INITRAMFS),
        containers: Object.fromEntries(containers.map(({ name, packages, npm }) => [name, { packages, npm }])),
        programs: { blocks: blocksProgram(kit), tryboot: TRYBOOT_PROGRAM },
      }),
      unpacked: {
        ...{ base, kernel, initramfs: boot },
        ...Object.fromEntries(containers.map(({ name, derivation }) => [name, derivation])),
      },
      programs: { blocks, 'hangar_tryboot.ko': { from: tryboot, file: 'hangar_tryboot.ko' } },
    }),
    sshKeys: authorizedKeys(host, context.sshKeys),
    signingKeys: signersOf(host, context.signingKeys),
    kernelArguments: KERNEL_ARGUMENTS,
    versions: versionsOf(
      [...[BASE, KERNEL].flatMap(target), ...containers.flatMap(({ packages }) => packages)],
      [...LISTED, ...baked.flatMap(({ packages }) => packages)],
    ),
  }
}

/** The layer of a container image, and the packages in it. */
function bakedLayer(image: BakedImage, layerContext: LayerContext, context: ImageContext): Layer & ContainerPackages {
  const { builder, target } = layerContext
  const packages = {
    target: context.locked({ set: containerSet(image), architecture: target }),
    scripts: context.locked({ set: scriptSet(image), architecture: builder }),
  }
  const npm = npmPackages(npmRequest(image, target), packages.target, context)
  const { name: service, tree, withoutScripts, programs } = image
  const parts = { service, packages, npm, tree, withoutScripts, programs }
  const derivation = containerLayer(layerContext, parts, accounts())
  return { name: `container-${parseServiceName(service)}`, derivation, packages: packages.target, npm }
}

/** The locked npm packages of a request. Throws UserError if one excludes the Node.js among the Debian packages. */
function npmPackages(
  request: NpmRequest | undefined,
  debian: readonly LockedPackage[],
  { locked }: ImageContext,
): readonly NpmPackage[] {
  if (request === undefined) return []
  const packages = locked(request)
  const node = nodeVersionIn(debian.find((each) => each.package === 'nodejs')?.version ?? '')
  if (node === undefined) throw new Error(`the container of '${request.folder}' has no Node.js`)
  const direct = packages.filter(({ use }) => use === 'direct')
  requireEngines(direct, node, `${request.folder}/package-lock.json`)
  return packages
}

function initramfsScripts({ deviceFiles }: ImageContext) {
  const { '/init': init = '', ...parts } = Object.fromEntries(
    [...scriptsIn('initramfs', deviceFiles)].map(([{ path }, text]) => [path, text]),
  )
  const lib = Object.entries(parts).map(([path, text]) => [path.slice(INITRAMFS_LIB.length + 1), text] as const)
  return { init, lib: Object.fromEntries(lib) }
}

/** The packages in a container. */
function containerSet({ name, packages, assumed }: BakedImage): PackageSet {
  return {
    name: `container/${name}`,
    request: packages,
    essential: 'left-out',
    assumed: [...CONTAINER_ASSUMED, ...assumed],
  }
}

/** The packages of a container with everything that their maintainer scripts need. */
function scriptSet({ name, packages }: BakedImage): PackageSet {
  return { name: `container-scripts/${name}`, request: packages, essential: 'included', assumed: [] }
}

/** The boot files in their order in the boot file system. cmdline.txt follows: it changes with every build. */
function bootFiles(board: Board, kernel: Derivation, initramfsOf: Derivation): Record<string, Input> {
  return {
    [board.kernel]: { from: kernel, file: 'kernel' },
    [INITRAMFS_NAME]: { from: initramfsOf, file: INITRAMFS_NAME },
    ...Object.fromEntries(
      Object.keys(board.deviceTrees).map((name): [string, Input] => [name, { from: kernel, file: name }]),
    ),
    'config.txt': { bytes: configTxt(board) },
  }
}

/** The versions of the listed packages, by package name. */
function versionsOf(packages: readonly LockedPackage[], listed: readonly string[]): Record<string, string> {
  const found = packages
    .filter((item) => listed.includes(item.package))
    .map((item) => [item.package, item.version] as const)
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}
