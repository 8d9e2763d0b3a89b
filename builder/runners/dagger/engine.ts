import type { Writable } from 'node:stream'
import type { Architecture } from '../../../images/architecture.ts'
import type { Privilege } from '../../../images/derivation.ts'
import { asked } from './engine-failure.ts'
import { loadSdk, type SdkClient, type SdkContainer, type SdkDirectory, type SdkPlatform } from './sdk.ts'

/** A root file system in an engine. */
export type Root = SdkContainer
/** A directory in an engine. */
export type Tree = SdkDirectory

export type Mount =
  | { readonly kind: 'read-only'; readonly tree: Tree }
  /** Empty at first; what the command leaves there can be had from `Ran`. */
  | { readonly kind: 'empty' }
  /** Memory that nobody keeps. */
  | { readonly kind: 'memory' }

/** One command in a container. */
export interface Exec {
  readonly root: Root
  /** Absolute path -> what is there. */
  readonly mounts: Readonly<Record<string, Mount>>
  readonly workdir: string
  readonly args: readonly string[]
  readonly stdin: string
  readonly privilege: Privilege
}

/** A command that runs, once, when something of it is asked for. */
export interface Ran {
  /** What it left in an `empty` mount, for another command; asks for nothing. */
  tree(path: string): Tree
  /**
   * Runs it, and waits for its end. Throws `ExecFailed` where it, or one that it depends on, ends with another status
   * than 0.
   */
  said(): Promise<{ readonly stdout: string; readonly stderr: string }>
  /** Copies what it left in an `empty` mount into a directory on this machine. */
  save(path: string, directory: string): Promise<void>
}

/** Operations of a Dagger engine; none of them runs before its outcome is asked for. */
export interface Engine {
  /** `v0.21.9`. */
  readonly version: string
  /** A root from an OCI image in one tar file on this machine. A directory of the host would lose its owners. */
  root(image: string, architecture: Architecture): Root
  /** Files of a directory on this machine, by their paths in it. The engine is sent those it does not have. */
  files(directory: string, paths: readonly string[]): Tree
  /** Names a command to the engine; it does not run yet. */
  exec(exec: Exec): Promise<Ran>
}

/**
 * Holds an engine while it is used. The SDK finds or starts one as the environment says: `DAGGER_SESSION_PORT`,
 * `_EXPERIMENTAL_DAGGER_RUNNER_HOST`, else a container engine.
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
      // From here on the SDK knows the names of everything in it, and asks for none of them again.
      await asked(() => container.id())
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

function ranOf(container: SdkContainer): Ran {
  return {
    tree: (path) => container.directory(path),
    async said() {
      // The engine runs it once for both.
      const [stdout, stderr] = await asked(() => Promise.all([container.stdout(), container.stderr()]))
      return { stdout, stderr }
    },
    async save(path, directory) {
      await asked(() => container.directory(path).export(directory))
    },
  }
}
