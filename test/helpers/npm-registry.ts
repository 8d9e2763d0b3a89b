import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { registriesOf } from '../../builder/sources/npm/registry.ts'
import type { ResolveOptions } from '../../builder/sources/npm/resolve.ts'
import { type NpmSource, npmSource } from '../../builder/sources/npm/source.ts'
import { type Integrity, sha512Of } from '../../images/npm/integrity.ts'
import { tarballPath } from '../../images/npm/name.ts'
import { type TarEntry, tarBytes } from '../../lib/tar.ts'
import { type FileServer, fileServer } from './file-server.ts'
import { tempDirectory } from './temp.ts'

/** A package of a test registry. */
export interface TestNpmPackage {
  readonly name: string
  readonly version?: string
  /** Further fields of its `package.json`. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** Its files: path -> text. A `package.json` with the fields is always there. */
  readonly files?: Readonly<Record<string, string>>
}

export interface NpmRegistry extends FileServer {
  publish(item: TestNpmPackage): Promise<Integrity>
  unpublish(name: string, version?: string): void
}

/** A registry on loopback with the parts of npm's protocol that install packages: metadata and tarballs. */
export async function npmRegistry(packages: readonly TestNpmPackage[] = []): Promise<NpmRegistry> {
  const server = await fileServer()
  const versions = new Map<string, Map<string, object>>()
  const announce = (name: string) => {
    const all = versions.get(name) ?? new Map()
    const latest = [...all.keys()].at(-1)
    const text = JSON.stringify({ name, 'dist-tags': { latest }, versions: Object.fromEntries(all) })
    if (all.size > 0) server.files.set(name, Buffer.from(text))
    else server.files.delete(name)
  }
  const registry: NpmRegistry = {
    ...server,
    async publish(item) {
      const { name, version = '1.0.0', fields = {} } = item
      const bytes = await tarballOf(item)
      const integrity = sha512Of(bytes)
      const dist = { tarball: `${server.url}/${tarballPath(name, version)}`, integrity }
      versions.set(name, (versions.get(name) ?? new Map()).set(version, { name, version, ...fields, dist }))
      server.files.set(tarballPath(name, version), bytes)
      announce(name)
      return integrity
    },
    unpublish(name, version = '1.0.0') {
      versions.get(name)?.delete(version)
      server.files.delete(tarballPath(name, version))
      announce(name)
    },
  }
  for (const each of packages) await registry.publish(each)
  return registry
}

/** The tarball of a package, as `npm pack` makes it. */
export async function tarballOf({ name, version = '1.0.0', fields, files = {} }: TestNpmPackage): Promise<Buffer> {
  const texts = { 'package.json': JSON.stringify({ name, version, ...fields }), ...files }
  return tgz(
    Object.entries(texts).map(([path, text]) => ({
      name: `package/${path}`,
      type: 'file',
      mode: 0o644,
      content: { text },
    })),
  )
}

export async function tgz(entries: readonly TarEntry[]): Promise<Buffer> {
  return gzipSync(await tarBytes(entries))
}

/** The environment in which npm uses this registry, and nothing of the machine's own settings. */
export async function npmEnvironment(registry: string): Promise<NodeJS.ProcessEnv> {
  const home = await tempDirectory()
  return {
    PATH: process.env.PATH,
    HOME: home,
    npm_config_registry: registry,
    npm_config_cache: join(home, 'cache'),
    npm_config_userconfig: join(home, 'npmrc'),
    npm_config_globalconfig: join(home, 'global-npmrc'),
    npm_config_fetch_retries: '0',
  }
}

/** npm registries as a source, at one server. */
export async function npmAt(
  registry: string,
  project: string,
  given: Partial<ResolveOptions> = {},
): Promise<NpmSource> {
  const env = await npmEnvironment(registry)
  return npmSource({ env, project, network: 'online', registries: registriesOf({ registry }), backoff: 1, ...given })
}
