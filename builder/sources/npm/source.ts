import { npmInputs } from '../../../images/npm/inputs.ts'
import type { NpmPackage, NpmRequest } from '../../../images/npm/npm-package.ts'
import { comparePackageVersions } from '../../../images/npm/version.ts'
import { npmPurl } from '../../../images/sbom/purl.ts'
import type { Source, SourceDefinition } from '../source.ts'
import { learnFacts } from './learn.ts'
import { NPM_LOCK, type NpmLock } from './lock-format.ts'
import { readRegistries } from './registry.ts'
import { type ResolveOptions, resolveFolders } from './resolve.ts'
import { fetchTarballs } from './tarballs.ts'

export type NpmSource = Source<NpmRequest, NpmLock, NpmPackage>

/** npm registries as a source of packages. */
export const npm: SourceDefinition<NpmRequest, NpmLock, NpmPackage> = {
  ...NPM_LOCK,
  async open({ env, project, network = 'online' }) {
    return npmSource({ env, project, network, registries: await readRegistries(env, project) })
  },
}

/** npm registries as a source, with the given settings. */
export function npmSource(options: ResolveOptions): NpmSource {
  return {
    ...NPM_LOCK,
    resolve: (wanted, current, mode, context) => resolveFolders(wanted, current, mode, options, context),
    learn: (wanted, lock, context) => learnFacts(wanted, lock, options, context),
    async fetch(files, context) {
      await fetchTarballs(
        files.filter(({ sha256, size }) => !context.store.has(sha256, size)),
        options,
        context,
      )
    },
    inputs: npmInputs,
    describe: ({ package: name, version }) => ({ name, version, architecture: '', purl: npmPurl(name, version) }),
    compareVersions: comparePackageVersions,
  }
}
