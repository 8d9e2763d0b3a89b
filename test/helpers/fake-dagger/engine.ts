import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GraphQLError } from 'graphql'
import type { Privilege } from '../../../images/derivation.ts'
import { type ExecMount, type Executed, executeInRoot } from './exec.ts'

interface FakeFile {
  readonly type: 'File'
  readonly path: string
}

interface FakeDirectory {
  readonly type: 'Directory'
  /** Makes the directory. Returns its path on this machine. */
  readonly at: () => Promise<string>
}

type Mounted = { readonly kind: 'memory' } | { readonly kind: 'read-only' | 'writable'; readonly id: string }

interface FakeContainer {
  readonly type: 'Container'
  readonly root: () => Promise<string>
  readonly mounts: ReadonlyMap<string, Mounted>
  readonly workdir: string
  readonly ran: (() => Promise<Ran>) | undefined
}

interface Ran extends Executed {
  /** Writable mount -> its path on this machine after the command. */
  readonly left: ReadonlyMap<string, string>
}

type FakeNode = FakeFile | FakeDirectory | FakeContainer

/** A node of GraphQL. Its id is a digest of its inputs, so that equal requests share one node. */
export type Named<N extends FakeNode = FakeNode> = N & { readonly id: string }

/**
 * A fake of Dagger's engine. Containers are sandboxes on this machine, and directories are plain directories. Like the
 * engine, it runs nothing before a caller requests a result, runs equal requests once, repeats failed ones, and reads host
 * files when a query names them. It has no layers, no network, and no cache after its end.
 */
export class FakeEngine {
  readonly executed: string[][] = []
  readonly #nodes = new Map<string, Named>()
  readonly #scratch: string
  readonly #print: (line: string) => void
  #stop = new AbortController()

  /** `print` receives the lines that Dagger's CLI would print. */
  constructor(scratch: string, print: (line: string) => void = () => undefined) {
    this.#scratch = scratch
    this.#print = print
  }

  /** Kills all commands that run. */
  stopCommands(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
  }

  node(id: string): Named {
    const found = this.#nodes.get(id)
    if (found === undefined) throw new GraphQLError(`no such node: ${id}`)
    return found
  }

  hostFile(path: string): Named {
    return this.#named(['host file', path], () => ({ type: 'File', path }))
  }

  /** Copies the directory immediately. */
  async hostDirectory(path: string, include: readonly string[]): Promise<Named> {
    const copied = once(async () => {
      const copy = await mkdtemp(join(this.#scratch, 'host-'))
      for (const name of include) await cp(join(path, name), join(copy, name), { preserveTimestamps: true })
      return copy
    })
    const directory = this.#named(['host directory', path, ...include], () => ({ type: 'Directory', at: copied }))
    await (directory as Named<FakeDirectory>).at()
    return directory
  }

  emptyDirectory(): Named {
    return this.#named(['directory'], () => ({
      type: 'Directory',
      at: once(() => mkdtemp(join(this.#scratch, 'empty-'))),
    }))
  }

  container(platform: string): Named {
    const root = () => Promise.reject(new GraphQLError('a container without a root'))
    const bare = { type: 'Container', root, mounts: new Map(), workdir: '/', ran: undefined } as const
    return this.#named(['container', platform], () => bare)
  }

  import(container: Named<FakeContainer>, source: string): Named {
    const file = this.#typed<FakeFile>(source, 'File')
    return this.#named([container.id, 'import', source], () => ({
      ...container,
      root: once(() => unpackImage(file.path, this.#scratch)),
    }))
  }

  withMount(container: Named<FakeContainer>, path: string, mounted: Mounted): Named {
    if (mounted.kind !== 'memory') this.#typed<FakeDirectory>(mounted.id, 'Directory')
    return this.#named([container.id, 'mount', path, JSON.stringify(mounted)], () => ({
      ...container,
      mounts: new Map([...container.mounts, [path, mounted]]),
    }))
  }

  withWorkdir(container: Named<FakeContainer>, path: string): Named {
    return this.#named([container.id, 'workdir', path], () => ({ ...container, workdir: path }))
  }

  withExec(
    container: Named<FakeContainer>,
    { args, stdin, privilege }: { args: readonly string[]; stdin: string; privilege: Privilege },
  ): Named {
    const ran = once(() => this.#run(container, { args, stdin, privilege }))
    return this.#named([container.id, 'exec', stdin, privilege, ...args], () => ({ ...container, ran }))
  }

  directory(container: Named<FakeContainer>, path: string): Named {
    return this.#named([container.id, 'directory', path], () => ({
      type: 'Directory',
      at: async () => {
        const left = (await this.ranOf(container)).left.get(path)
        if (left === undefined) throw new GraphQLError(`nothing writable is mounted at ${path}`)
        return left
      },
    }))
  }

  async ranOf({ ran }: FakeContainer): Promise<Ran> {
    if (ran === undefined) throw new GraphQLError('no command has been set')
    return ran()
  }

  async export(directory: FakeDirectory, path: string): Promise<string> {
    await cp(await directory.at(), path, { recursive: true })
    return path
  }

  async #run(
    container: FakeContainer,
    exec: { args: readonly string[]; stdin: string; privilege: Privilege },
  ): Promise<Ran> {
    const left = new Map<string, string>()
    const mounts: ExecMount[] = []
    for (const [target, mounted] of container.mounts) {
      if (mounted.kind === 'memory') mounts.push({ kind: 'memory', target, source: '' })
      else {
        const given = await this.#typed<FakeDirectory>(mounted.id, 'Directory').at()
        const source = mounted.kind === 'writable' ? await this.#copy(given) : given
        if (mounted.kind === 'writable') left.set(target, source)
        mounts.push({ kind: mounted.kind, target, source })
      }
    }
    const number = String(this.executed.push([...exec.args])).padEnd(4)
    this.#print(`${number}: withExec ${exec.args.map((each) => each.replaceAll('\n', '\\n')).join(' ')}`)
    const hear = (piece: string) => {
      for (const line of piece.trimEnd().split('\n')) this.#print(`${number}: ┆ [0.1s] | ${line}`)
    }
    const { workdir } = container
    const root = await container.root()
    const { signal } = this.#stop
    const executed = await executeInRoot({ ...exec, workdir, mounts, root, hear, signal }, this.#scratch)
    if (executed.exitCode !== 0) throw execError(exec.args, executed)
    return { ...executed, left }
  }

  async #copy(directory: string): Promise<string> {
    const copy = await mkdtemp(join(this.#scratch, 'mount-'))
    await cp(directory, copy, { recursive: true })
    return copy
  }

  #typed<N extends FakeNode>(id: string, type: N['type']): Named<N> {
    const node = this.node(id)
    if (node.type !== type) throw new GraphQLError(`${id} is a ${node.type}, wanted a ${type}`)
    return node as unknown as Named<N>
  }

  #named(recipe: readonly string[], make: () => FakeNode): Named {
    const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex')
    const known = this.#nodes.get(key)
    if (known !== undefined) return known
    const node = { ...make(), id: key }
    this.#nodes.set(key, node)
    return node
  }
}

/** Callers share a running or successful computation. After a failure, the next caller starts the computation again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
}

/** An error as in core/exec_error.go. */
function execError(cmd: readonly string[], { exitCode, stdout, stderr }: Executed): GraphQLError {
  return new GraphQLError(`process "${cmd.join(' ')}" did not complete successfully: exit code: ${exitCode}`, {
    extensions: { _type: 'EXEC_ERROR', cmd, exitCode, stdout: stdout.trim(), stderr: stderr.trim() },
  })
}

const exec = promisify(execFile)

async function unpackImage(file: string, scratch: string): Promise<string> {
  const image = await mkdtemp(join(scratch, 'image-'))
  await exec('tar', ['-x', '-f', file, '-C', image])
  const json = async (path: string) => JSON.parse(await readFile(join(image, path), 'utf8'))
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`
  const manifest = await json(blob((await json('index.json')).manifests[0].digest))
  const root = join(image, 'root')
  await mkdir(root)
  for (const { digest } of manifest.layers) {
    await exec('tar', ['-x', '-p', '--numeric-owner', '-f', join(image, blob(digest)), '-C', root])
  }
  await rm(join(image, 'blobs'), { recursive: true })
  return root
}
