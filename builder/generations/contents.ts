import { readFile } from 'node:fs/promises'
import type { Derivation } from '../../images/derivation.ts'
import type { LayerFile } from '../../images/layers/layer-files/recipe.ts'
import type { Store } from '../store/store.ts'
import type { Contents, Named } from './difference.ts'
import { derivationsIn, type Graph, parseGraph, toolchainsIn } from './graph.ts'
import type { Parts } from './parts.ts'
import { textIn } from './rebuild.ts'
import type { KeptGeneration } from './record.ts'

/** All of a generation that is compared but its layers' files. */
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

/** Reads a listing, by path. A container's files are told by their paths inside it, whatever its storage is called. */
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

/** By what is made of them; those that only configure a root on the builder's side are no part of an image. */
function packagesOf(graph: Graph): Named<string> {
  const image = { ...graph, others: new Map<string, Derivation>() }
  const found = derivationsIn(image).map((each) => [each.name, packagesFor(each)] as const)
  return new Map(found.filter(([, packages]) => packages.size > 0))
}

function packagesFor({ inputs }: Derivation): Map<string, string> {
  return new Map(
    Object.entries(inputs).flatMap(([path, input]) => {
      if (!('locked' in input) || path.startsWith('native/')) return []
      return [[input.locked.package, input.locked.version]]
    }),
  )
}

function programsOf(graph: Graph): Named<string> {
  const found = toolchainsIn(graph).map(
    ({ name, packages }) => [name, new Map(packages.map((each) => [each.package, each.version]))] as const,
  )
  return new Map(found)
}

/** Texts that overlays lay into layers: a `tree.json` among a derivation's inputs. */
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

const BOOT_TEXTS = ['config.txt', 'cmdline.txt']

async function bootTexts(store: Store, { boot }: Parts): Promise<Map<string, string>> {
  const texts = boot
    .filter(({ name }) => BOOT_TEXTS.includes(name))
    .map(async ({ name, digest }) => [`/${name}`, withoutRoot(await textIn(store, digest))] as const)
  return new Map(await Promise.all(texts))
}

/** The root hash is another one with every change: it says nothing here. */
function withoutRoot(text: string): string {
  return text.replace(/ hangar\.(root|blocks)=\S+/g, '')
}
