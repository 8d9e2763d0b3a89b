import { join, relative } from 'node:path'
import { type Derivation, derivationDigest, type Input, toolchainDigest } from '../../../images/derivation.ts'
import type { Digest } from '../../../images/digest.ts'
import type { Store } from '../../store/store.ts'
import { verifiedInput } from '../inputs.ts'
import { inputDirectories } from '../lay-inputs.ts'
import { once } from '../once.ts'
import { insideEnv } from '../sandbox.ts'
import type { Engine, EngineCommand, Mount, Root, Tree } from './engine.ts'
import { COPY_INPUTS, DIRECTORY, RUN } from './scripts.ts'

export interface GraphOptions {
  readonly engine: Engine
  readonly store: Store
  /** The images of the toolchains: toolchain digest -> path of a file on this machine. */
  readonly images: ReadonlyMap<Digest, string>
  /** Collects the paths of all files on this machine that the engine needs. */
  readonly given: Set<string>
}

/** Describes each derivation to the engine as one command. Intermediate outputs stay in the engine. */
export function engineGraph(options: GraphOptions): Place {
  const place: Place = once(derivationDigest, (derivation) => placeOne(derivation, options, place))
  return place
}

type Place = (derivation: Derivation) => Promise<EngineCommand>

async function placeOne(derivation: Derivation, options: GraphOptions, place: Place): Promise<EngineCommand> {
  const { command, env, privilege } = derivation
  const root = rootOf(derivation, options)
  return options.engine.exec({
    root,
    mounts: {
      '/in': await inputs(derivation, root, options, place),
      '/out': { kind: 'empty' },
      '/build': { kind: 'memory' },
      '/tmp': { kind: 'memory' },
    },
    workdir: '/build',
    args: ['sh', '-c', RUN, derivationDigest(derivation), ...insideEnv(env), ...command],
    stdin: '',
    privilege,
  })
}

function rootOf({ toolchain }: Derivation, { engine, images, given }: GraphOptions): Root {
  const image = images.get(toolchainDigest(toolchain))
  if (image === undefined) throw new Error(`toolchain '${toolchain.name}' has no image`)
  given.add(image)
  return engine.root(image, toolchain.architecture)
}

const OBJECTS = '/objects'

/** The inputs of a command below /in: objects of the store, and outputs of commands that have not run yet. */
async function inputs(derivation: Derivation, root: Root, options: GraphOptions, place: Place): Promise<Mount> {
  const { engine, store, given } = options
  const lines: string[] = []
  const objects = new Set<string>()
  const made = new Map<Digest, { readonly at: string; readonly tree: Tree }>()
  for (const [path, input] of Object.entries(derivation.inputs)) {
    if (isLazy(input, store)) {
      const digest = derivationDigest(input.from)
      const { at, tree } = made.get(digest) ?? {
        at: `/made/${made.size}`,
        tree: (await place(input.from)).tree('/out'),
      }
      made.set(digest, { at, tree })
      lines.push(`${at}/${input.file} ${path}\n`)
    } else {
      const object = relative(objectsOf(store), store.path(await verifiedInput(derivation, path, input, store)))
      objects.add(object)
      given.add(join(objectsOf(store), object))
      lines.push(`${OBJECTS}/${object} ${path}\n`)
    }
  }
  if (lines.length === 0) return { kind: 'empty' }
  const sources = [...made.values()].map(({ at, tree }): [string, Mount] => [at, { kind: 'read-only', tree }])
  if (objects.size > 0) {
    sources.push([OBJECTS, { kind: 'read-only', tree: engine.files(objectsOf(store), [...objects]) }])
  }
  const copied = await engine.exec({
    root,
    mounts: { ...Object.fromEntries(sources), '/in': { kind: 'empty' } },
    workdir: '/',
    args: ['sh', '-c', COPY_INPUTS, `inputs of ${derivation.name}`],
    stdin: [...lines, ...inputDirectories(derivation).map((path) => `${DIRECTORY} ${path}\n`)].join(''),
    privilege: 'default',
  })
  return { kind: 'read-only', tree: copied.tree('/in') }
}

function isLazy(input: Input, store: Store): input is Extract<Input, { from: Derivation }> {
  return 'from' in input && store.output(derivationDigest(input.from)) === undefined
}

function objectsOf(store: Store): string {
  return join(store.root, 'objects')
}
