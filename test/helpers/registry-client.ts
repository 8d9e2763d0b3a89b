import { type RegistryOptions, registryRepository } from '../../builder/publish/registry/registry.ts'

/** A repository of a registry on loopback, and the reasons for repeated requests. */
export function repositoryAt(
  port: number,
  given: Partial<RegistryOptions> & { readonly name?: string; readonly address?: string } = {},
) {
  const retries: string[] = []
  const { name = 'hangar', address = '127.0.0.1', ...more } = given
  const options: RegistryOptions = {
    ...{ env: {}, actions: 'pull,push', transport: 'https', backoff: 5, signal: new AbortController().signal },
    onRetry: (reason) => void retries.push(reason),
    ...more,
  }
  const remote = { kind: 'registry', registry: `${address}:${port}`, name } as const
  return { retries, repository: registryRepository(remote, options) }
}
