import type { Writable } from 'node:stream'
import type { Architecture } from '../../../images/architecture.ts'
import type { Privilege } from '../../../images/derivation.ts'
import { query } from './engine-failure.ts'
import { loadSdk, type SdkClient, type SdkContainer, type SdkDirectory, type SdkPlatform } from './sdk.ts'

/** A root file system in an engine. */
export type Root = SdkContainer
/** A directory in an engine. */
export type Tree = SdkDirectory

export type Mount =
  | { readonly kind: 'read-only'; readonly tree: Tree }
  /** Empty at the start; `EngineCommand` gives access to the files that the command leaves. */
  | { readonly kind: 'empty' }
  /** Memory, discarded after the command. */
  | { readonly kind: 'memory' }

/** One command in a container. */
export interface Exec {
  readonly root: Root
  /** Absolute path -> mount. */
  readonly mounts: Readonly<Record<string, Mount>>
  readonly workdir: string
  readonly args: readonly string[]
  readonly stdin: string
  readonly privilege: Privilege
}

/** A command that runs once, when its result is requested. */
export interface EngineCommand {
  /** The files in an `empty` mount, for another command. This alone does not run the command. */
  readonly tree: (path: string) => Tree
  /** Runs the command and waits for its end. Throws `ExecFailed` when this command or a dependency fails. */
  readonly output: () => Promise<{ readonly stdout: string; readonly stderr: string }>
  /** Copies the files in an `empty` mount into a directory on this machine. */
  readonly save: (path: string, directory: string) => Promise<void>
}

/** Operations of a Dagger engine. Each runs only when its result is requested. */
export interface Engine {
  /** `v0.21.9`. */
  readonly version: string
  /** A root file system from an OCI image in one tar file. A directory of this machine would lose its owners. */
  readonly root: (image: string, architecture: Architecture) => Root
  /** Files of a directory on this machine, by their paths in it. Only files that the engine lacks are sent. */
  readonly files: (directory: string, paths: readonly string[]) => Tree
  /** Describes a command to the engine; it does not run yet. */
  readonly exec: (exec: Exec) => Promise<EngineCommand>
}

/**
 * Connects to an engine while `use` runs. The SDK finds the engine by `DAGGER_SESSION_PORT` or
 * `_EXPERIMENTAL_DAGGER_RUNNER_HOST`, else it starts one with a container engine.
 */
export async function withConnection(log: Writable, use: (engine: Engine) => Promise<void>): Promise<void> {
  const { connection, dag } = await loadSdk()
  await connection(async () => use(await engineOf(dag)), { LogOutput: log })
}

async function engineOf(client: SdkClient): Promise<Engine> {
  return {
    version: await client.version(),
    root: (image, architecture) =>
      client.container({ platform: `linux/${architecture}` as SdkPlatform }).import_(client.host().file(image)),
    files: (directory, paths) => client.host().directory(directory, { include: [...paths].sort() }),
    async exec(exec) {
      const container = containerOf(client, exec)
      // The SDK resolves all ids of the container now, and sends no further query for them.
      await query(() => container.id())
      return ranOf(container)
    },
  }
}

function containerOf(client: SdkClient, { root, mounts, workdir, args, stdin, privilege }: Exec): SdkContainer {
  const mounted = Object.entries(mounts).reduce((container, [path, mount]) => {
    if (mount.kind === 'memory') return container.withMountedTemp(path)
    if (mount.kind === 'empty') return container.withMountedDirectory(path, client.directory())
    return container.withMountedDirectory(path, mount.tree, { readOnly: true })
  }, root)
  return mounted
    .withWorkdir(workdir)
    .withExec([...args], { stdin, ...(privilege === 'all' ? { insecureRootCapabilities: true } : {}) })
}

function ranOf(container: SdkContainer): EngineCommand {
  return {
    tree: (path) => container.directory(path),
    async output() {
      // The engine runs the command once for both.
      const [stdout, stderr] = await query(() => Promise.all([container.stdout(), container.stderr()]))
      return { stdout, stderr }
    },
    async save(path, directory) {
      await query(() => container.directory(path).export(directory))
    },
  }
}
