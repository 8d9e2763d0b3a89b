import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { unpackDebs } from '../parts/deb.ts'
import { exec } from '../parts/exec.ts'
import { inputFiles, inputJson } from '../parts/inputs.ts'
import { makeLayer } from '../parts/layer.ts'
import { runStep } from '../parts/run-step.ts'
import { writeStatements } from '../parts/statements.ts'
import { closure, findModules, kernelRelease, requireModulesOf, select } from './modules.ts'

// Builds the `kernel` layer, and the boot files: the kernel, device trees, and the modules that the initramfs loads.
// Inputs: /in/debs, /in/updates (our own modules), /in/modules.json, /in/erofs.json.
const wanted = inputJson<{
  layer: string[]
  initramfs: string[]
  /** The device trees: file name in the boot file system -> path below `dtb/`. */
  deviceTrees: Record<string, string>
}>('modules.json')
const ROOT = '/build/kernel'

interface Kernel {
  readonly release: string
  /** The directory of its modules. */
  readonly source: string
  /** Module -> path below `source`. */
  readonly modules: ReadonlyMap<string, string>
}

await runStep(async () => {
  const debs = await unpackDebs(inputFiles('debs'), ROOT)
  writeStatements(ROOT, debs)
  const release = kernelRelease(ROOT)
  const source = `${ROOT}/usr/lib/modules/${release}`
  cpSync('/in/updates', `${source}/updates`, { recursive: true })
  await requireModulesOf(release, `${source}/updates`)
  const kernel: Kernel = { release, source, modules: findModules(source) }
  await writeBootFiles(kernel)
  await packInitramfsModules(kernel)
  await packLayer(kernel)
})

async function writeBootFiles({ release, source }: Kernel): Promise<void> {
  // The firmware can unpack gzip. Unpacking takes less time than reading the larger file from an SD card.
  await exec('sh', ['-c', 'gzip -n -6 < "$1" > /out/kernel', 'gzip', `${source}/vmlinuz`])
  for (const [name, path] of Object.entries(wanted.deviceTrees)) copyFileSync(`${source}/dtb/${path}`, `/out/${name}`)
  writeFileSync('/out/release', `${release}\n`)
}

/** Packs uncompressed modules, because busybox cannot load compressed ones. The file `load` lists them in load order. */
async function packInitramfsModules({ source, modules }: Kernel): Promise<void> {
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

async function packLayer({ release, source, modules }: Kernel): Promise<void> {
  const target = `/build/layer/usr/lib/modules/${release}`
  for (const name of await closure(source, modules, select(modules, wanted.layer))) {
    const path = modules.get(name) ?? ''
    mkdirSync(dirname(`${target}/${path}`), { recursive: true })
    cpSync(`${source}/${path}`, `${target}/${path}`)
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order', 'config'])
    copyFileSync(`${source}/${name}`, `${target}/${name}`)
  // Creates the link /lib for depmod, which looks there. The layer itself has only usr/lib; its link /lib is in `base`.
  symlinkSync('usr/lib', '/build/layer/lib')
  await exec('depmod', ['-b', '/build/layer', release])
  rmSync('/build/layer/lib')
  copyFileSync(`${target}/modules.alias`, '/out/modules.alias')
  rmSync(ROOT, { recursive: true })
  await makeLayer('kernel', '/build/layer')
}
