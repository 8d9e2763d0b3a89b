import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Toolchain, toolchainDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { LockedFile } from '../../images/locked-file.ts'
import { fullDiskLine } from '../../lib/full-disk.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { run } from '../../lib/subprocess.ts'
import { fullOnStore } from '../store/full.ts'
import type { Store } from '../store/store.ts'

/** Fetches locked files into the store. An abort of `signal` ends this call. */
export type Fetch = (files: readonly LockedFile[], signal?: AbortSignal) => Promise<void>

/** The version of the unpacking, a part of the directory's name. Raise it when the unpacking changes. */
const UNPACKING = 1

const NAME = /^[a-z][a-z0-9-]*-\d+-([0-9a-f]{64})$/

/** The digest in the name of a toolchain's directory; undefined for a name of another form. */
export function toolchainIn(name: string): Digest | undefined {
  return NAME.exec(name)?.[1] as Digest | undefined
}

/** The ending of the package list beside each toolchain, a file with one package digest on each line. */
export const PACKAGES = '.packages'

/** Options of tar, as shell words, for files that no program needs at run time. */
export const LEFT_OUT = ['doc', 'man', 'locale', 'info'].map((name) => `--exclude='./usr/share/${name}/*'`).join(' ')

/** Returns the directory with the unpacked packages of a toolchain. Fetches and unpacks them when it does not exist. */
export async function toolchainDirectory(
  toolchain: Toolchain,
  store: Store,
  fetch: Fetch,
  reporter: Reporter,
): Promise<string> {
  const directory = join(store.root, 'toolchains', `${toolchain.name}-${UNPACKING}-${toolchainDigest(toolchain)}`)
  if (existsSync(directory)) return directory
  await fetch(toolchain.packages)
  const step = reporter.step(`unpack toolchain '${toolchain.name}'`)
  try {
    await store.scratch('toolchain', (scratch) => unpackInto(join(scratch, 'root'), directory, toolchain, store))
  } catch (error) {
    step.failed()
    throw error
  }
  step.done('built')
  return directory
}

async function unpackInto(root: string, directory: string, toolchain: Toolchain, store: Store): Promise<void> {
  const packages = toolchain.packages.map(({ sha256 }) => sha256)
  await prepareRoot(root, toolchain)
  await unpackAll(
    packages.map((each) => store.path(each)),
    root,
  )
  await finishRoot(root)
  await mkdir(join(store.root, 'toolchains'), { recursive: true })
  // Writes the package list before the directory, so that `store verify` finds the packages of every toolchain.
  await writeFile(`${directory}${PACKAGES}`, packages.map((each) => `${each}\n`).join(''))
  await publish(root, directory)
}

/** Creates the links of the merged /usr first, so that the order of unpacking does not matter. */
async function prepareRoot(root: string, toolchain: Toolchain): Promise<void> {
  for (const name of ['', 'etc', 'usr']) await makeOwnDirectory(join(root, name))
  for (const name of ['bin', 'sbin', 'lib', ...(toolchain.architecture === 'amd64' ? ['lib64'] : [])]) {
    await makeOwnDirectory(join(root, 'usr', name))
    await symlink(`usr/${name}`, join(root, name))
  }
}

async function makeOwnDirectory(path: string): Promise<void> {
  await mkdir(path)
  await own(path, 0o755)
}

/** Sets what a file would otherwise inherit from the umask, a set-group-id bit or a default ACL of the store. */
async function own(path: string, mode: number): Promise<void> {
  await chown(path, process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
  await chmod(path, mode)
}

const UNPACK = `umask 022; for deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -p --numeric-owner --keep-directory-symlink \
-C "$ROOT" ${LEFT_OUT} || { echo "cannot unpack $deb" >&2; exit 255; }; done`

async function unpackAll(debs: readonly string[], root: string): Promise<void> {
  const unpacked = await run('xargs', ['-0', '-P', '2', '-n', '8', 'sh', '-c', UNPACK, 'unpack'], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ROOT: root },
    input: debs.join('\0'),
  })
  if (unpacked.exitCode === 0) return
  const full = fullDiskLine(unpacked.output) === undefined ? undefined : fullOnStore(root)
  throw new UserError(
    'sandbox',
    `cannot unpack the toolchain: ${full?.what ?? unpacked.output.trim().split('\n').slice(-3).join(' / ')}`,
    {
      hint:
        full?.remedy ??
        'hangar needs dpkg-deb, tar and xargs on this machine, and 1 GB of free disk space in the store (HANGAR_STORE)',
    },
  )
}

/** Writes the files that maintainer scripts create and that the programs need. */
async function finishRoot(root: string): Promise<void> {
  await writeOwnFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  )
  await writeOwnFile(
    join(root, 'etc/group'),
    'root:x:0:\nadm:x:4:\ntty:x:5:\nutmp:x:43:\nshadow:x:42:\nnogroup:x:65534:\n',
  )
  if (existsSync(join(root, 'usr/bin/mawk'))) await symlink('mawk', join(root, 'usr/bin/awk'))
}

async function writeOwnFile(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await own(path, 0o644)
}

/** If two builds unpack the same toolchain at the same time, hangar keeps the directory that is complete first. */
async function publish(root: string, directory: string): Promise<void> {
  try {
    await rename(root, directory)
  } catch (error) {
    if (!existsSync(directory)) throw error
  }
}
