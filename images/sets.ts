import type { Architecture } from './architecture.ts'
import type { PackageSet } from './package-set.ts'

/** Packages that only maintainer scripts need. Sets whose scripts never run assume them. */
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
    // Programs that build roots and layers.
    'dpkg',
    'tar',
    'erofs-utils',
    'kmod',
    'attr',
    'acl',
    // Programs for compression.
    'gzip',
    'xz-utils',
    'zstd',
    // The shell and the programs of every script.
    'bash',
    'coreutils',
    'dash',
    'findutils',
    'grep',
    'mawk',
    'mount',
    'sed',
    'util-linux',
    // The JavaScript interpreter that runs the layer steps.
    'nodejs',
    // apt, which solves package sets.
    'apt',
  ],
  essential: 'left-out',
  // sqv verifies apt's downloads, and openssl and python are for people. No derivation calls them.
  assumed: [...SCRIPT_ONLY, 'debian-archive-keyring', 'node-corepack', 'openssl', 'python3', 'sqv', 'systemd'],
}

/** Debian's newest kernel for trixie. hangar unpacks it without running its maintainer scripts. */
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
 * The compiler for arm64 on a builder of either architecture. On an arm64 builder, this package is the native compiler.
 * Kbuild's programs are a dependency of the builder's kernel headers, whose metapackage has no version in its name.
 */
export function cross(builder: Architecture): PackageSet {
  return {
    name: 'cross',
    request: [
      'gcc-14-aarch64-linux-gnu',
      'make',
      `linux-headers-${builder}/trixie-backports`,
      // Programs that Kbuild and our own scripts call.
      'bash',
      'coreutils',
      'dash',
      'findutils',
      'grep',
      'mawk',
      'sed',
      // Programs that start the sandbox.
      'mount',
      'util-linux',
      // Programs that unpack the headers.
      'tar',
      'xz-utils',
      'zstd',
    ],
    essential: 'left-out',
    // The build links no library of the builder or of gcc, signs nothing and writes no BTF.
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

/** musl, which our programs link, and the kernel headers, with which our module is compiled. */
export const NATIVE: PackageSet = {
  name: 'native',
  request: ['musl-dev', 'linux-headers-arm64/trixie-backports'],
  essential: 'left-out',
  assumed: ['gcc-14-for-host', 'gcc-aarch64-linux-gnu', 'libssl3t64', 'linux-base', 'pahole'],
}

/** What `npm run vm` needs: the emulator, and the ssh client that the tests of the virtual machine log in with. */
export const VM: PackageSet = {
  name: 'vm',
  request: ['qemu-system-arm', 'openssh-client'],
  essential: 'left-out',
  // QEMU's common and data packages hold firmware of other machines, and plug-ins for sound, screens and USB. The machine
  // `virt` with a given kernel needs none of them. The tests use neither SASL nor legacy ciphers.
  assumed: [...SCRIPT_ONLY, 'qemu-system-common', 'qemu-system-data', 'libsasl2-modules-db', 'openssl-provider-legacy'],
}

/** Programs with which the controller reaches a host. They need not be installed on the controller. */
export const CONTROL: PackageSet = {
  name: 'control',
  request: ['openssh-client', 'zstd'],
  essential: 'left-out',
  // Leaves out smart cards and legacy ciphers, which hangar does not use.
  assumed: [...SCRIPT_ONLY, 'openssl-provider-legacy'],
}
