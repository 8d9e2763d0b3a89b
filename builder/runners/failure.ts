import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ErrorCode, UserError } from '../../errors.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import { refusalIn } from '../../images/refusal.ts'
import { fullDiskLine } from '../../lib/full-disk.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import type { Store } from '../store/store.ts'
import { fullInEngine, fullInSandbox } from './full.ts'

/** The path of a derivation's log file, which has the output of its last run. */
export async function logFile(derivation: Derivation, store: Store): Promise<string> {
  const log = join(store.root, 'logs', `${derivationDigest(derivation)}.log`)
  makeDirectory(dirname(log))
  return log
}

/** The error of a derivation whose command failed. */
export class DerivationFailure extends UserError {
  readonly derivation: Digest

  constructor(derivation: Derivation, code: ErrorCode, message: string, hint: string) {
    super(code, message, { hint })
    this.derivation = derivationDigest(derivation)
  }
}

export interface RanCommand {
  readonly status: number
  readonly log: string
  readonly place: 'sandbox' | 'engine'
}

/** The error of a derivation whose command failed: the refusal of its step, or the last lines of its log. */
export async function derivationFailed(
  derivation: Derivation,
  { status, log, place }: RanCommand,
  store: Store,
): Promise<DerivationFailure> {
  const output = (await readFile(log, 'utf8')).trimEnd()
  const refusal = refusalIn(output)
  if (refusal !== undefined) {
    const message = `cannot build '${derivation.name}': ${refusal.message}`
    return new DerivationFailure(derivation, refusal.code, message, refusal.hint)
  }
  const lines = output.split('\n').slice(-LAST)
  const said = fullDiskLine(output.split('\n').slice(-NEARBY).join('\n'))
  // Programs may print much after the line with the reason.
  const shown = said === undefined || lines.includes(said) ? lines : [said, '…', ...lines]
  const full =
    said === undefined ? undefined : place === 'engine' ? fullInEngine(said) : fullInSandbox(said, store.root)
  const reason = full === undefined ? '' : `: ${full.what}`
  return new DerivationFailure(
    derivation,
    'derivation',
    `derivation '${derivation.name}' failed with status ${status}${reason}:\n  ${shown.join('\n  ')}`,
    `${full === undefined ? '' : `${full.remedy}; `}complete log: ${log}`,
  )
}

/** The number of lines in the message. */
const LAST = 12
/** The number of lines at the end of a log that may tell the reason. */
const NEARBY = 200
