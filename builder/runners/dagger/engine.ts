import type { Architecture } from '../../../images/architecture.ts'
import type { Privilege } from '../../../images/derivation.ts'
import { query } from './engine-failure.ts'
import type { SdkClient, SdkContainer, SdkDirectory, SdkPlatform } from './sdk.ts'

/** A root file system in an engine. */
export type Root = SdkContainer
/** A directory in an engine. */
export type Tree = SdkDirectory

export type Mount =
  | { readonly kind: 'read-only'; readonly tree: Tree }
  /** An empty directory. Afterwards, `EngineCommand` gives access to the files that the command wrote to it. */
  | { readonly kind: 'empty' }
  /** A tmpfs that the engine discards after the command. */
  | { readonly kind: 'memory' }

/** One command in a container. */
export interface Exec {
  readonly root: Root
  /** The mounts of the container: absolute path -> mount. */
  readonly mounts: Readonly<Record<string, Mount>>
  readonly workdir: string
  readonly args: readonly string[]
  readonly stdin: string
  readonly privilege: Privilege
}

/** A command that the engine runs once, at the first request for its result. */
export interface EngineCommand {
  /** The files of an `empty` mount, as an input of another command. This call alone does not run the command. */
  readonly tree: (path: string) => Tree
  /** Runs the command and waits until it ends. Throws `ExecFailed` if this command or a dependency fails. */
  readonly output: () => Promise<{ readonly stdout: string; readonly stderr: string }>
  /** Copies the files of an `empty` mount into a directory on this machine. */
  readonly save: (path: string, directory: string) => Promise<void>
}

/** The operations of a Dagger engine. The engine runs an operation only when hangar requests the result. */
export interface Engine {
  /** The address of the engine. */
  readonly name: string
  /** The version of the engine: `v0.21.9`. */
  readonly version: string
  /** The number of bytes that the CLI has sent to the engine so far; 0 for a session of another program. */
  readonly sent: () => number
  /**
   * Loads a root file system from an OCI image in one tar file. A copied directory would lose the owners of its files.
   */
  readonly root: (image: string, architecture: Architecture) => Root
  /** A tree of the given files below a directory on this machine. hangar sends only the files that the engine lacks. */
  readonly files: (directory: string, paths: readonly string[]) => Tree
  /** Describes a command to the engine, which does not run the command yet. */
  readonly exec: (exec: Exec) => Promise<EngineCommand>
}

/** The parts of a connection that an engine needs beside the SDK's client. */
export interface EngineConnection {
  readonly name: string
  readonly version: string
  readonly client: SdkClient
  readonly sent: () => number
  readonly settled: () => Promise<void>
}

/** The engine behind an open session. */
export function engineOf({ name, version, client, sent, settled }: EngineConnection): Engine {
  return {
    name,
    version,
    sent,
    root: (image, architecture) =>
      client.container({ platform: `linux/${architecture}` as SdkPlatform }).import_(client.host().file(image)),
    files: (directory, paths) => client.host().directory(directory, { include: [...paths].sort() }),
    async exec(exec) {
      const container = containerOf(client, exec)
      // Makes the SDK resolve all ids of the container now, so that it sends no further queries for them.
      await query(() => container.id())
      return ranOf(container, settled)
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

function ranOf(container: SdkContainer, settled: () => Promise<void>): EngineCommand {
  return {
    tree: (path) => container.directory(path),
    async output() {
      // Requests both results at the same time; the engine runs the command only once.
      const [stdout, stderr] = await query(() => Promise.all([container.stdout(), container.stderr()]))
      return { stdout, stderr }
    },
    async save(path, directory) {
      try {
        await query(() => container.directory(path).export(directory))
      } catch (error) {
        // The caller removes the directory, into which the CLI may still write.
        await settled()
        throw error
      }
    },
  }
}
