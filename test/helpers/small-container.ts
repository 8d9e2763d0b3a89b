import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readListing } from '../../builder/generations/contents.ts'
import { localRunner } from '../../builder/runners/local.ts'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { type Derivation, derivationDigest, type Input } from '../../images/derivation.ts'
import { accounts } from '../../images/ids.ts'
import { LAYER_FILE } from '../../images/image.ts'
import { containerLayer } from '../../images/layers/container/recipe.ts'
import type { ContainerProgram } from '../../images/layers/container-program.ts'
import { FILES, layerFiles } from '../../images/layers/layer-files/recipe.ts'
import type { Unpacked } from '../../images/npm/npm-package.ts'
import { compileSteps } from './compile.ts'
import { tarballOf } from './npm-registry.ts'
import { listReporter } from './reporter.ts'
import { type SmallDeb, smallDeb } from './small-deb.ts'
import { tempDirectory } from './temp.ts'
import { PROJECT, storeWithToolchain } from './toolchain.ts'

export interface SmallContainer {
  readonly debs: readonly SmallDeb[]
  readonly withoutScripts?: readonly string[]
  readonly programs?: readonly ContainerProgram[]
  readonly npm?: readonly SmallNpmPackage[]
}

export interface SmallNpmPackage {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

/**
 * Builds the layer of a container with only small packages, whose scripts run beside Debian's essential packages. Returns
 * the files of the container by path.
 */
export async function buildSmallContainer({ debs, withoutScripts = [], programs = [], npm = [] }: SmallContainer) {
  const given = await storeWithToolchain()
  const { store, toolchain } = given
  const steps = await compileSteps(PROJECT, {
    container: 'images/layers/container/step.ts',
    'layer-files': 'images/layers/layer-files/step.ts',
  })
  const context = { builder: toolchain.architecture, target: 'arm64', toolchain, steps } as const
  const parts = { service: 'app', npm: [], tree: {}, programs, withoutScripts: [] }
  const packages = { target: [], scripts: await essentialPackages(toolchain.architecture) }
  const layer = containerLayer(context, { ...parts, packages }, accounts())
  const inputs = { ...layer.inputs, 'without-scripts.json': { bytes: JSON.stringify(withoutScripts) } }
  const directory = await tempDirectory()
  for (const deb of debs) {
    const object = await store.putBytes(readFileSync(smallDeb(directory, deb)))
    for (const side of ['native', 'target'])
      Object.assign(inputs, { [`${side}/debs/${deb.name}_all.deb`]: { object } satisfies Input })
  }
  for (const { name, files } of npm) {
    const object = await store.putBytes(await tarballOf({ name, files }))
    Object.assign(inputs, { [`npm/${name}.tgz`]: { object } satisfies Input })
  }
  if (npm.length > 0) Object.assign(inputs, { 'npm.json': { bytes: JSON.stringify(npm.map(unpackedOf)) } })
  const outputOf = async (derivation: Derivation, file: string) => {
    const outputs = await localRunner(given).realise([derivation], listReporter())
    const found = outputs.get(derivationDigest(derivation))?.[file]
    if (found === undefined) throw new Error(`'${derivation.name}' wrote no '${file}'`)
    return found.digest
  }
  const image = await outputOf({ ...layer, inputs }, LAYER_FILE)
  return readListing(store.path(await outputOf(layerFiles(context, 'app', image), FILES)))
}

function unpackedOf({ name, bin }: SmallNpmPackage): Unpacked {
  return { file: `npm/${name}.tgz`, locations: [`node_modules/${name}`], bin, use: 'direct' }
}

/** Debian's essential packages, which every set of container scripts has. */
async function essentialPackages(architecture: string) {
  const lock = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
  const own = lock.sets['container/alertmanager:arm64']?.packages.map((key) => lock.packages[key]?.package)
  const keys = lock.sets[`container-scripts/alertmanager:${architecture}`]?.packages ?? []
  const needed = ['libc6', 'libgcc-s1']
  return keys
    .flatMap((key) => lock.packages[key] ?? [])
    .filter((item) => needed.includes(item.package) || !own?.includes(item.package))
}
