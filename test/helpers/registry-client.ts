import { type RegistryOptions, registryRepository } from '../../builder/publish/registry/registry.ts'

/** A repository of a registry on loopback, and the reasons for repeated requests. */
export function repositoryAt(port: number, given: Partial<RegistryOptions> & { readonly name?: string } = {}) {
  const retries: string[] = []
  const { name = 'hangar', ...more } = given
  const options: RegistryOptions = {
    ...{ env: {}, actions: 'pull,push', transport: 'https', backoff: 5, signal: new AbortController().signal },
    onRetry: (reason) => void retries.push(reason),
    ...more,
  }
  return { retries, repository: registryRepository({ kind: 'registry', registry: `127.0.0.1:${port}`, name }, options) }
}
