import type { Derivation, Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'

/** Runs derivations. A runner decides where commands run, and which intermediate outputs it adds to the store. */
export interface Runner {
  /**
   * Adds the outputs of the wanted derivations to the store, and returns the outputs by derivation digest. Does not
   * build an output again that the store has.
   */
  readonly realise: (wanted: readonly Derivation[], reporter: Reporter) => Promise<ReadonlyMap<Digest, Output>>
}
