import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { refusalIn } from '../../images/refusal.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import type { Store } from '../store/store.ts'

/** The path of a derivation's log file, which has the output of its last run. */
export async function logFile(derivation: Derivation, store: Store): Promise<string> {
  const log = join(store.root, 'logs', `${derivationDigest(derivation)}.log`)
  makeDirectory(dirname(log))
  return log
}

/** A command of a derivation failed. */
export class DerivationFailed extends UserError {}

/** The error of a derivation whose command failed: the refusal of its step, or the last lines of its log. */
export async function derivationFailed(derivation: Derivation, status: number, log: string): Promise<DerivationFailed> {
  const text = await readFile(log, 'utf8')
  const refusal = refusalIn(text)
  if (refusal !== undefined)
    return new DerivationFailed(refusal.code, `cannot build '${derivation.name}': ${refusal.message}`, {
      hint: refusal.hint,
    })
  const lines = text.trimEnd().split('\n').slice(-12)
  const isFull = /ENOSPC|No space left on device/.test(lines.join('\n'))
  return new DerivationFailed(
    'derivation',
    `derivation '${derivation.name}' failed with status ${status}:\n  ${lines.join('\n  ')}`,
    {
      hint: `${isFull ? `free disk space for the store: df -h '${dirname(dirname(log))}'; ` : ''}complete log: ${log}`,
    },
  )
}
