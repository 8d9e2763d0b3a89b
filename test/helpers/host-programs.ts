import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { BASE } from '../../hosts/platforms/pi/image-of.ts'
import { lockedPackages } from '../../images/lock.ts'
import { listReporter } from './reporter.ts'
import { PROJECT, storeWithToolchain } from './toolchain.ts'

/** Packages with the programs below, and their libraries. */
const PACKAGES = [
  ...['btrfs-progs', 'iproute2', 'jq', 'nftables', 'libc6', 'libgcc-s1'],
  ...[
    'libblkid1',
    'libbpf1',
    'libbsd0',
    'libcap2',
    'libcom-err2',
    'libedit2',
    'libelf1t64',
    'libext2fs2t64',
    'libgmp10',
  ],
  ...['libjansson4', 'libjq1', 'liblzo2-2', 'libmd0', 'libmnl0', 'libmount1', 'libnftables1', 'libnftnl11', 'libonig5'],
  ...['libpcre2-8-0', 'libselinux1', 'libtinfo6', 'libudev1', 'libuuid1', 'libxtables12', 'libzstd1', 'zlib1g'],
]

const PATHS = { btrfs: 'bin/btrfs', ip: 'sbin/ip', jq: 'bin/jq', 'mkfs.btrfs': 'sbin/mkfs.btrfs', nft: 'sbin/nft' }

export type HostProgram = keyof typeof PATHS

/** Programs of the `base` layer in the versions that hosts run, for this machine. Fetched and unpacked at first use. */
export async function hostPrograms(): Promise<Record<HostProgram, string>> {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const { architecture } = toolchain
  const lock = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
  const packages = lockedPackages(lock, { set: BASE, architecture })?.filter((each) => PACKAGES.includes(each.package))
  if (packages?.length !== PACKAGES.length)
    throw new Error(`the lock lacks a package of ${PACKAGES.join(', ')}: npm run lock`)
  const directory = await toolchainDirectory({ name: 'host', architecture, packages }, store, fetch, listReporter())
  const words = (path: string) => shellWords({ directory, architecture }, path)
  return Object.fromEntries(Object.entries(PATHS).map(([name, path]) => [name, words(path)])) as Record<
    HostProgram,
    string
  >
}

/** The shell words that start a program. */
function shellWords(root: ProgramRoot, path: string): string {
  const inBin = `../${path}`
  const { file, args } = programOf(root, existsSync(join(root.directory, 'usr', path)) ? inBin : path)
  return [file, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
