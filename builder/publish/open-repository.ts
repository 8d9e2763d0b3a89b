import { directoryRepository } from './directory.ts'
import { type RegistryOptions, registryRepository } from './registry/registry.ts'
import type { Remote } from './remote.ts'
import type { Repository } from './repository.ts'

/** Opens the repository at an address. Sends no request yet. */
export function openRepository(remote: Remote, options: RegistryOptions): Repository {
  return remote.kind === 'registry'
    ? registryRepository(remote, options)
    : directoryRepository(remote.directory, options.signal)
}
