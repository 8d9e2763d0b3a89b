import { readFile } from 'node:fs/promises'
import type { Derivation } from '../../images/derivation.ts'
import type { LayerFile } from '../../images/layers/layer-files/recipe.ts'
import { platformNamed } from '../platforms/registry.ts'
import type { Store } from '../store/store.ts'
import type { Contents, Named } from './difference.ts'
import { derivationsIn, type Graph, parseGraph, toolchainsIn } from './graph.ts'
import type { Parts } from './parts.ts'
import { textIn } from './rebuild.ts'
import type { KeptGeneration } from './record.ts'

/** Reads what `diff` compares of a generation, except the files in its layers. */
export async function readContents(store: Store, generation: KeptGeneration): Promise<Omit<Contents, 'files'>> {
  const { number, root, built, revision, parts } = generation
  const graph = parts.origin === null ? null : parseGraph(await textIn(store, parts.origin.graph))
  const containers = parts.layers.filter(({ name }) => name.startsWith(CONTAINER))
  return {
    ...{ number, root, built, revision },
    packages: graph === null ? null : packagesOf(graph),
    programs: graph === null ? null : programsOf(graph),
    texts: new Map([...(graph === null ? [] : await treesOf(store, graph)), ['boot', await bootTexts(store, parts)]]),
    containers: new Map(containers.map(({ name, digest }) => [name.slice(CONTAINER.length), digest])),
    sizes: new Map([
      ...parts.layers.map(({ name, size }) => [`layer ${name}`, size] as const),
      ...parts.outputs.filter(({ name }) => name.endsWith('.img')).map(({ name, size }) => [name, size] as const),
    ]),
  }
}

const CONTAINER = 'container-'

/**
 * Parses a list of files: path -> file. In a container's layer, paths are relative to the container's root, without
 * podman's storage directory.
 */
export async function readListing(file: string): Promise<Map<string, LayerFile>> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n').filter(Boolean)
  return new Map(
    lines.map((line) => {
      const listed = JSON.parse(line) as LayerFile
      const path = listed.path.replace(/^\/overlay\/[0-9a-f]{64}\/diff(?=\/|$)/, '') || '/'
      return [path, { ...listed, path }]
    }),
  )
}

/** Packages by derivation. Skips packages that only run on the builder: they are not in the image. */
function packagesOf(graph: Graph): Named<string> {
  const image = { ...graph, others: new Map<string, Derivation>() }
  const found = derivationsIn(image).map((each) => [each.name, packagesFor(each)] as const)
  return new Map(found.filter(([, packages]) => packages.size > 0))
}

function packagesFor({ inputs }: Derivation): Map<string, string> {
  const found = new Map<string, Set<string>>()
  for (const [path, input] of Object.entries(inputs)) {
    if (!('locked' in input) || path.startsWith('native/')) continue
    const { package: name, version } = input.locked
    found.set(name, (found.get(name) ?? new Set()).add(version))
  }
  // npm installs several versions of a package side by side.
  return new Map([...found].map(([name, versions]) => [name, [...versions].sort().join(', ')]))
}

function programsOf(graph: Graph): Named<string> {
  const found = toolchainsIn(graph).map(
    ({ name, packages }) => [name, new Map(packages.map((each) => [each.package, each.version]))] as const,
  )
  return new Map(found)
}

/** Texts that overlays add to layers: the input `tree.json` of a layer's derivation. */
async function treesOf(store: Store, graph: Graph): Promise<[string, Map<string, string>][]> {
  const found: [string, Map<string, string>][] = []
  for (const [layer, { inputs }] of graph.layers) {
    const input = inputs['tree.json']
    if (input === undefined || !('object' in input)) continue
    const tree = JSON.parse(await textIn(store, input.object)) as Record<string, { text?: string }>
    found.push([
      layer,
      new Map(Object.entries(tree).flatMap(([path, { text }]) => (text === undefined ? [] : [[path, text]]))),
    ])
  }
  return found
}

async function bootTexts(store: Store, { platform, boot }: Parts): Promise<Map<string, string>> {
  const { comparedFiles } = platformNamed(platform)
  const texts = boot.map(async ({ name, digest }) => {
    const normalise = comparedFiles[name]
    return normalise === undefined ? [] : [[`/${name}`, normalise(await textIn(store, digest))] as const]
  })
  return new Map((await Promise.all(texts)).flat())
}
