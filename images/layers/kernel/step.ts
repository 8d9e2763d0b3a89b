import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { unpackDebs } from '../parts/deb.ts'
import { exec } from '../parts/exec.ts'
import { makeLayer } from '../parts/layer.ts'
import { closure, findModules, kernelRelease, requireModulesOf, select } from '../parts/modules.ts'
import { leaveStatements } from '../parts/statements.ts'

// Makes the `kernel` layer of the modules that boards need, and lays out what boots: the kernel, device trees, and the
// modules that the initramfs loads. Inputs: /in/debs, /in/updates (our own modules), /in/modules.json, /in/erofs.json.
const wanted = JSON.parse(readFileSync('/in/modules.json', 'utf8')) as {
  layer: string[]
  initramfs: string[]
  /** Name in the boot file system -> path below `dtb/`. */
  deviceTrees: Record<string, string>
}
const ROOT = '/build/kernel'

const debs = await unpackDebs(
  readdirSync('/in/debs')
    .sort()
    .map((name) => `/in/debs/${name}`),
  ROOT,
)
leaveStatements(ROOT, debs)
const release = kernelRelease(ROOT)
const source = `${ROOT}/usr/lib/modules/${release}`
cpSync('/in/updates', `${source}/updates`, { recursive: true })
await requireModulesOf(release, `${source}/updates`)
const modules = findModules(source)

await bootFiles()
await initramfsModules()
await layer()

async function bootFiles(): Promise<void> {
  // The firmware unpacks gzip, and reads a card more slowly than it unpacks.
  await exec('sh', ['-c', 'gzip -n -6 < "$1" > /out/kernel', 'gzip', `${source}/vmlinuz`])
  for (const [name, path] of Object.entries(wanted.deviceTrees)) copyFileSync(`${source}/dtb/${path}`, `/out/${name}`)
  writeFileSync('/out/release', `${release}\n`)
}

/** Plain files: busybox loads no compressed modules. `load` names them in the order in which they load. */
async function initramfsModules(): Promise<void> {
  const names = await closure(source, modules, select(modules, wanted.initramfs))
  mkdirSync('/build/initramfs')
  for (const name of names) {
    const program = modules.get(name)?.endsWith('.xz') ? 'xz -dc' : 'cat'
    const command = `${program} "$1" > "$2"`
    await exec('sh', ['-c', command, program, `${source}/${modules.get(name)}`, `/build/initramfs/${name}.ko`])
  }
  writeFileSync('/build/initramfs/load', names.map((name) => `${name}\n`).join(''))
  await exec('tar', [
    '-c',
    '-f',
    '/out/initramfs-modules.tar',
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=gnu',
    '-C',
    '/build/initramfs',
    '.',
  ])
}

async function layer(): Promise<void> {
  const target = `/build/layer/usr/lib/modules/${release}`
  for (const name of await closure(source, modules, select(modules, wanted.layer))) {
    const path = modules.get(name) ?? ''
    mkdirSync(dirname(`${target}/${path}`), { recursive: true })
    cpSync(`${source}/${path}`, `${target}/${path}`)
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order', 'config'])
    copyFileSync(`${source}/${name}`, `${target}/${name}`)
  // depmod looks below lib; the layer has only usr/lib, which `base` links.
  symlinkSync('usr/lib', '/build/layer/lib')
  await exec('depmod', ['-b', '/build/layer', release])
  rmSync('/build/layer/lib')
  copyFileSync(`${target}/modules.alias`, '/out/modules.alias')
  rmSync(ROOT, { recursive: true })
  await makeLayer('kernel', '/build/layer', JSON.parse(readFileSync('/in/erofs.json', 'utf8')) as string[])
}
