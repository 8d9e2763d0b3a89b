import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import type { Store } from '../store/store.ts'

/** The path of a derivation's log file, which has the output of its last run. */
export async function logFile(derivation: Derivation, store: Store): Promise<string> {
  const log = join(store.root, 'logs', `${derivationDigest(derivation)}.log`)
  makeDirectory(dirname(log))
  return log
}

/** The error of a derivation whose command failed. */
export class DerivationFailure extends UserError {
  readonly derivation: Digest

  constructor(derivation: Derivation, message: string, hint: string) {
    super('derivation', message, { hint })
    this.derivation = derivationDigest(derivation)
  }
}

/** The error of a derivation whose command failed, with the last lines of its log. */
export async function derivationFailed(derivation: Derivation, status: number, log: string): Promise<UserError> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-12)
  const isFull = /ENOSPC|No space left on device/.test(lines.join('\n'))
  return new DerivationFailure(
    derivation,
    `derivation '${derivation.name}' failed with status ${status}:\n  ${lines.join('\n  ')}`,
    `${isFull ? `free disk space for the store: df -h '${dirname(dirname(log))}'; ` : ''}complete log: ${log}`,
  )
}
