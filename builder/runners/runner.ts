import type { Derivation, Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'

/**
 * Realises derivations. What is asked for ends up in the store; how and where the commands run, and whether anything
 * between ever leaves the engine, is the runner's own affair.
 */
export interface Runner {
  /** Derivation digest -> output, for each that is wanted; what the store has is not run again. */
  realise(wanted: readonly Derivation[], reporter: Reporter): Promise<ReadonlyMap<Digest, Output>>
}
