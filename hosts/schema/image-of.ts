import type { Architecture } from '../../images/architecture.ts'
import { BOARDS, type Board } from '../../images/board.ts'
import { configTxt, INITRAMFS_NAME } from '../../images/boot/config-txt.ts'
import { KERNEL_ARGUMENTS } from '../../images/boot/kernel-arguments.ts'
import type { Derivation, Input } from '../../images/derivation.ts'
import { accounts } from '../../images/ids.ts'
import type { Image, Layer } from '../../images/image.ts'
import { baseLayer } from '../../images/layers/base/recipe.ts'
import { containerLayer, hostLayer } from '../../images/layers/container/recipe.ts'
import { initramfs, kernelLayer } from '../../images/layers/kernel/recipe.ts'
import type { LayerContext } from '../../images/layers/layer-recipe.ts'
import { nativeBlocks, ownPrograms, trybootModule } from '../../images/layers/native/recipe.ts'
import { sbomRest } from '../../images/layers/sbom/recipe.ts'
import type { LockedPackage } from '../../images/lock.ts'
import { parseServiceName } from '../../images/names.ts'
import type { ArchitectureSet, PackageSet } from '../../images/package-set.ts'
import { imageParts } from '../../images/sbom/image-parts.ts'
import { cross, INITRAMFS, KERNEL, NATIVE, SCRIPT_ONLY, TOOLCHAIN } from '../../images/sets.ts'
import { BASE_PACKAGES } from '../../overlays/base/packages.ts'
import { authorizedKeys } from '../../overlays/base/ssh.ts'
import { containersOf } from '../../overlays/containers.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { hostTree, signersOf } from '../../overlays/host-tree.ts'

/** What an image is made of beside the host: everything that a build knows before it runs anything. */
export interface ImageContext {
  readonly builder: Architecture
  readonly steps: Readonly<Record<string, string>>
  readonly init: string
  readonly deviceScripts: Readonly<Record<string, string>>
  /** Path below `overlays/device` -> source of what is compiled for the device. */
  readonly native: Readonly<Record<string, string>>
  readonly sshKeys: readonly string[]
  /** Public keys whose signature the host accepts on updates, once this image is committed. */
  readonly signingKeys: readonly string[]
  /** The packages that the lock holds for a set. */
  readonly locked: (set: ArchitectureSet) => readonly LockedPackage[]
  /** The lock's time in seconds since 1970. */
  readonly time: number
}

/** Containers have no init system, no accounts to make and nothing to configure. */
export const CONTAINER_ASSUMED = [
  ...SCRIPT_ONLY,
  'systemd',
  'systemd-sysv',
  'init',
  'python3',
  'daemon',
  'javascript-common',
  'tzdata',
  'gcc-14-base',
  'openssl-provider-legacy',
]

/** Packages whose versions the manifest names, beside those of services. */
const ASKED = ['linux-image-arm64', 'openssh-server', 'podman', 'systemd']

/** The system that every host runs. */
export const BASE: PackageSet = { name: 'base', request: BASE_PACKAGES, essential: 'included', assumed: [] }

/** Every package set that a host's image needs on a builder of the given architecture. */
export function setsOf(host: Host, builder: Architecture): ArchitectureSet[] {
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
    ...containersOf(host).map(({ name, packages }) => target(containerSet(name, packages))),
  ]
}

/** The image of a host: its layers and boot files as derivations; nothing is run. */
export function imageOf(host: Host, context: ImageContext): Image {
  const board = BOARDS[host.board]
  const target = (set: PackageSet) => context.locked({ set, architecture: board.architecture })
  const native = (set: PackageSet) => context.locked({ set, architecture: context.builder })
  const kit = {
    cross: native(cross(context.builder)),
    target: target(NATIVE),
    kernel: target(KERNEL),
    sources: context.native,
  }
  const layerContext: LayerContext = {
    builder: context.builder,
    target: board.architecture,
    toolchain: { name: 'build', architecture: context.builder, packages: native(TOOLCHAIN) },
    steps: context.steps,
  }
  const sets = containersOf(host).map(({ name, packages }) => containerSet(name, packages))
  const tryboot = trybootModule(layerContext, kit)
  const kernel = kernelLayer(layerContext, board, { packages: kit.kernel, tryboot })
  const boot = initramfs(layerContext, kernel, target(INITRAMFS), initramfsScripts(context))
  const containers = containersOf(host).map(({ name, packages, tree }): Layer & Packages => {
    const locked = target(containerSet(name, packages))
    const derivation = containerLayer(layerContext, name, locked, tree)
    return { name: `container-${parseServiceName(name)}`, derivation, packages: locked }
  })
  const base = baseLayer(layerContext, { native: native(BASE), target: target(BASE) }, accounts())
  const blocks = { from: nativeBlocks(layerContext, kit), file: 'blocks' }
  const layers: Layer[] = [
    { name: 'base', derivation: base },
    { name: 'kernel', derivation: kernel },
    ...containers,
    // Last: what changes most often moves nothing behind it but the hash tree.
    {
      name: 'host',
      derivation: hostLayer(layerContext, hostTree(host, context), { '/usr/lib/hangar/blocks': blocks }),
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
        containers: Object.fromEntries(containers.map(({ name, packages }) => [name, packages])),
        programs: ownPrograms(kit),
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
    versions: versionsOf([BASE, KERNEL, ...sets].flatMap(target), [
      ...ASKED,
      ...containersOf(host).flatMap(({ packages }) => packages),
    ]),
  }
}

interface Packages {
  readonly packages: readonly LockedPackage[]
}

function initramfsScripts({ init, deviceScripts }: ImageContext) {
  const lib = ['record', 'tryboot'].map((name): [string, string] => [name, deviceScripts[name] ?? ''])
  return { init, lib: Object.fromEntries(lib) }
}

function containerSet(name: string, packages: readonly string[]): PackageSet {
  return { name: `container/${name}`, request: packages, essential: 'left-out', assumed: CONTAINER_ASSUMED }
}

/** In the order in which they lie: what changes with every build comes after these. */
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

/** Versions that a person asks for: the kernel, the system, and what services are made of. */
function versionsOf(packages: readonly LockedPackage[], asked: readonly string[]): Record<string, string> {
  const found = packages
    .filter((item) => asked.includes(item.package))
    .map((item) => [item.package, item.version] as const)
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}
