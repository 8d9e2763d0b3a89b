import { type Full, fullOnStore, fullStore } from '../store/full.ts'

/**
 * The file system that a command in a sandbox found full: `/out` is on the disk of the store, everything else is in
 * memory. `said` is the line of its output.
 */
export function fullInSandbox(said: string, store: string): Full {
  return fullStore(store) ?? (OUTPUT.test(said) ? fullOnStore(store) : FULL_MEMORY)
}

/** As `fullInSandbox`, for a command in an engine. */
export function fullInEngine(said: string): Full {
  return MEMORY.test(said)
    ? { ...FULL_MEMORY, what: `${FULL_MEMORY.what} of the Dagger engine's machine` }
    : FULL_ENGINE
}

const OUTPUT = /(^|[\s'"`:(=])\/out\//
const MEMORY = /(^|[\s'"`:(=])\/(build|tmp|dev\/shm)\//

const FULL_MEMORY: Full = {
  what: 'the temporary files do not fit into the memory',
  remedy: 'end other programs, or add memory or swap: free -h',
}

const FULL_ENGINE: Full = {
  what: 'the disk of the Dagger engine is full',
  remedy: 'free disk space on the machine of the engine, for example with: dagger core engine local-cache prune',
}
