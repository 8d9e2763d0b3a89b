import type { Derivation, Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'

/** Realises derivations. The runner decides where commands run, and which intermediate outputs reach the store. */
export interface Runner {
  /**
   * Brings the outputs of the wanted derivations into the store, and returns them by derivation digest. An output that
   * the store has is not built again.
   */
  readonly realise: (wanted: readonly Derivation[], reporter: Reporter) => Promise<ReadonlyMap<Digest, Output>>
}
