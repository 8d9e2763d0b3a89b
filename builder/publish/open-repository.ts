import { directoryRepository } from './directory.ts'
import type { Place } from './place.ts'
import { type RegistryOptions, registryRepository } from './registry/registry.ts'
import type { Repository } from './repository.ts'

/** What is at a place; nothing is asked of it yet. */
export function openRepository(place: Place, options: RegistryOptions): Repository {
  return place.kind === 'registry'
    ? registryRepository(place, options)
    : directoryRepository(place.directory, options.signal)
}
