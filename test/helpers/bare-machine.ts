import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { programOf } from '../../flash/vm/program.ts'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { openFat } from '../../images/disk/fat-read.ts'
import { cpioOf } from '../../images/layers/initramfs/cpio.ts'
import { lockedPackages } from '../../images/lock.ts'
import { KERNEL } from '../../images/sets.ts'
import { eventually } from './eventually.ts'
import { PROJECT, storeWithToolchain } from './toolchain.ts'
import { imagePath, vmPrograms } from './vm.ts'

/** QEMU's arguments for a machine; `deviceTree` is a file of the kernel's package, for machines without their own. */
export interface Hardware {
  readonly args: readonly string[]
  readonly deviceTree?: string
}

export interface BareOutput {
  readonly console: string
  /** QEMU's list of accesses that it does not emulate. */
  readonly unimplemented: string
}

/** The script prints this line when it has ended. */
const OVER = 'the script is over'

/**
 * Boots a host's kernel and initramfs on other hardware and runs a shell script as init. `files` replace or extend the
 * files of the initramfs. Returns the text of the console.
 */
export async function runBare(
  host: string,
  hardware: Hardware,
  script: string,
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<BareOutput> {
  const directory = mkdtempSync(join(tmpdir(), 'hangar-bare-'))
  try {
    const boot = openFat(blockSourceOf(readFileSync(join(dirname(imagePath(host)), 'boot.img'))))
    writeFileSync(join(directory, 'kernel'), boot.read('kernel_2712.img') ?? '')
    const extra = overlay(join(directory, 'tree'), {
      '/script': Buffer.from(`#!/bin/sh\n${script}\n${REST}`),
      ...files,
    })
    // The kernel reads uncompressed archives only before the compressed one.
    writeFileSync(join(directory, 'initramfs'), Buffer.concat([extra, boot.read('initramfs.img') ?? Buffer.alloc(0)]))
    return await listen(directory, hardware)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const REST = `echo ${OVER}\nbusybox sleep 3600\n`

function overlay(root: string, files: Readonly<Record<string, Uint8Array>>): Buffer {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(root + path), { recursive: true })
    writeFileSync(root + path, bytes, { mode: 0o755 })
  }
  return cpioOf(root)
}

async function listen(directory: string, { args, deviceTree }: Hardware): Promise<BareOutput> {
  const { file, args: first, env } = programOf(await vmPrograms(), 'qemu-system-aarch64')
  const at = (name: string) => join(directory, name)
  const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '')
  if (deviceTree !== undefined) writeFileSync(at('tree.dtb'), await kernelDeviceTree(deviceTree, directory))
  const given = [
    ...[...args, '-nodefaults', '-display', 'none', '-no-reboot'],
    ...[
      '-kernel',
      at('kernel'),
      '-initrd',
      at('initramfs'),
      ...(deviceTree === undefined ? [] : ['-dtb', at('tree.dtb')]),
    ],
    ...['-append', 'console=ttyAMA0 panic=1 rdinit=/script', '-serial', `file:${at('console')}`],
    ...['-d', 'unimp', '-D', at('unimplemented')],
  ]
  // Without setpriv, QEMU would keep running if this process were killed.
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...first, ...given], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<never>((_, reject) => {
    qemu.on('error', reject)
    qemu.on('close', (code) =>
      reject(new Error(`QEMU ended with ${code}; the console:\n${read('console').slice(-2000)}`)),
    )
  })
  try {
    await Promise.race([eventually(async () => read('console').includes(OVER), 300), ended])
  } finally {
    ended.catch(() => undefined)
    qemu.kill('SIGKILL')
  }
  return { console: read('console').replaceAll('\r', ''), unimplemented: read('unimplemented') }
}

/** A device tree from the locked kernel's package, also for boards without images. */
async function kernelDeviceTree(path: string, directory: string): Promise<Buffer> {
  const { store, fetch } = await storeWithToolchain()
  const lock = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
  const packages = lockedPackages(lock, { set: KERNEL, architecture: 'arm64' })
  const found = packages?.find((item) => /^linux-base-\d/.test(item.package))
  if (found === undefined) throw new Error('the lock file has no package with device trees: npm run lock')
  await fetch([found])
  execFileSync('dpkg-deb', ['-x', store.path(found.sha256), join(directory, 'package')])
  const release = found.package.slice('linux-base-'.length)
  return readFileSync(join(directory, 'package/usr/lib/modules', release, 'dtb', path))
}
