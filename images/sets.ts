import type { Architecture } from './architecture.ts'
import type { PackageSet } from './package-set.ts'

/** Packages that nothing but maintainer scripts needs, where none run. */
export const SCRIPT_ONLY: readonly string[] = [
  'adduser',
  'debconf',
  'init-system-helpers',
  'install-info',
  'lsb-base',
  'passwd',
  'perl',
  'perl-base',
  'sysvinit-utils',
  'ucf',
]

/** The programs that derivations run, for a builder of either architecture. */
export const TOOLCHAIN: PackageSet = {
  name: 'toolchain',
  request: [
    // Roots and layers.
    'dpkg',
    'tar',
    'erofs-utils',
    'kmod',
    'attr',
    'acl',
    // Compression.
    'gzip',
    'xz-utils',
    'zstd',
    // The shell and what every script takes for granted.
    'bash',
    'coreutils',
    'dash',
    'findutils',
    'grep',
    'mawk',
    'mount',
    'sed',
    'util-linux',
    // The steps themselves.
    'nodejs',
    // Resolving package sets.
    'apt',
  ],
  essential: 'left-out',
  // sqv verifies what apt fetches, openssl and python are for people: nothing here calls them.
  assumed: [...SCRIPT_ONLY, 'debian-archive-keyring', 'node-corepack', 'openssl', 'python3', 'sqv', 'systemd'],
}

/** Debian's newest kernel for trixie, only unpacked. */
export const KERNEL: PackageSet = {
  name: 'kernel',
  request: ['linux-image-arm64/trixie-backports'],
  essential: 'left-out',
  assumed: ['initramfs-tools', 'linux-initramfs-tool', 'dracut', 'kmod', 'linux-base', 'systemd', 'udev'],
}

export const INITRAMFS: PackageSet = {
  name: 'initramfs',
  request: ['busybox-static', 'dmsetup'],
  essential: 'left-out',
  assumed: [...SCRIPT_ONLY, 'gcc-14-base'],
}

/**
 * What compiles for arm64 on a builder of either architecture: on arm64 the cross compiler's package is the native one.
 * Kbuild's programs come along with the builder's own kernel headers, the only packages without a version in their name.
 */
export function cross(builder: Architecture): PackageSet {
  return {
    name: 'cross',
    request: [
      'gcc-14-aarch64-linux-gnu',
      'make',
      `linux-headers-${builder}/trixie-backports`,
      // What Kbuild's rules and our own scripts are written in.
      'bash',
      'coreutils',
      'dash',
      'findutils',
      'grep',
      'mawk',
      'sed',
      // What the sandbox starts with.
      'mount',
      'util-linux',
      // Unpacking what is compiled against.
      'tar',
      'xz-utils',
      'zstd',
    ],
    essential: 'left-out',
    // Nothing is linked against a library of the builder's or of gcc's, nothing is signed, and BTF is left out.
    assumed: [
      ...SCRIPT_ONLY,
      'binutils-common',
      'gcc-14-base',
      'gcc-14-aarch64-linux-gnu-base',
      'gcc-14-for-host',
      'libcc1-0',
      'libgcc-14-dev',
      'libgcc-14-dev-arm64-cross',
      'libssl3t64',
      'linux-base',
      'pahole',
      'systemd',
    ],
  }
}

/** What is compiled against: musl for programs, the kernel's headers for modules. */
export const NATIVE: PackageSet = {
  name: 'native',
  request: ['musl-dev', 'linux-headers-arm64/trixie-backports'],
  essential: 'left-out',
  assumed: ['gcc-14-for-host', 'gcc-aarch64-linux-gnu', 'libssl3t64', 'linux-base', 'pahole'],
}
