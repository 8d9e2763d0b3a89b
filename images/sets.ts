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
