import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { unpackDebs } from '../parts/deb.ts'
import { capture, exec } from '../parts/exec.ts'
import { inputFiles } from '../parts/inputs.ts'
import { runStep } from '../parts/run-step.ts'
import { writeStatements } from '../parts/statements.ts'
import { cpioOf } from './cpio.ts'

// Builds `/out/initramfs.img`: busybox, dmsetup with its libraries, modules and the script `init`. Inputs: /in/debs,
// /in/modules.tar (the modules, and the order in which they load), /in/init, /in/lib (scripts that init sources).
// Argument: the target's multiarch directory.
const [multiarch = ''] = process.argv.slice(2)
const PACKAGES = '/build/packages'
const ROOT = '/build/root'

await runStep(async () => {
  const debs = await unpackDebs(inputFiles('debs'), PACKAGES)
  writeStatements(PACKAGES, debs)
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', `lib/${multiarch}`, 'lib/modules'])
    mkdirSync(`${ROOT}/${name}`, { recursive: true })
  copyPrograms()
  await copyLibraries()
  await unpackModules()
  copyFileSync('/in/init', `${ROOT}/init`)
  chmodSync(`${ROOT}/init`, 0o755)
  cpSync('/in/lib', `${ROOT}/lib/hangar`, { recursive: true })
  writeFileSync('/build/initramfs.cpio', cpioOf(ROOT))
  await exec('zstd', ['-q', '-9', '-T1', '/build/initramfs.cpio', '-o', '/out/initramfs.img'])
})

function copyPrograms(): void {
  copyFileSync(`${PACKAGES}/usr/bin/busybox`, `${ROOT}/bin/busybox`)
  symlinkSync('busybox', `${ROOT}/bin/sh`)
  copyFileSync(`${PACKAGES}/usr/sbin/dmsetup`, `${ROOT}/bin/dmsetup`)
  for (const name of ['busybox', 'dmsetup']) chmodSync(`${ROOT}/bin/${name}`, 0o755)
}

/** Copies every library: there are few, and no program in the toolchain lists the libraries that a foreign program needs. */
async function copyLibraries(): Promise<void> {
  const found = await capture('find', [
    `${PACKAGES}/usr/lib`,
    '-name',
    '*.so*',
    '-not',
    '-path',
    '*/gconv/*',
    '-not',
    '-path',
    '*/audit/*',
  ])
  for (const file of found.trim().split('\n').sort()) {
    const target = file.slice(PACKAGES.length).replace(/^\/usr/, '')
    mkdirSync(`${ROOT}${target}`.replace(/\/[^/]*$/, ''), { recursive: true })
    cpSync(file, ROOT + target, { verbatimSymlinks: true })
  }
}

async function unpackModules(): Promise<void> {
  await exec('tar', ['-x', '-f', '/in/modules.tar', '-C', `${ROOT}/lib/modules`])
  writeFileSync(`${ROOT}/etc/modules`, readFileSync(`${ROOT}/lib/modules/load`))
}
