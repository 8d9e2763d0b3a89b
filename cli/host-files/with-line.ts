import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { lineOf } from './line-of.ts'

/** An error that names a file of `hosts`, with the line of the key that is wrong. */
export function withLine(error: UserError, project: string): UserError {
  const [, file = '', rest = ''] = /^(hosts\/[a-z0-9-]+\.ts)((?: at |: )[\s\S]*)$/.exec(error.message) ?? []
  const line = file === '' ? undefined : lineIn(join(project, file), pathOf(error.cause))
  if (line === undefined) return error
  const { hint, cause } = error
  return new UserError(error.code, `${file}:${line}${rest}`, hint === undefined ? { cause } : { hint, cause })
}

function lineIn(path: string, key: readonly string[]): number | undefined {
  try {
    return lineOf(readFileSync(path, 'utf8'), key)
  } catch {
    return undefined
  }
}

/** The path of the key that is wrong; empty if the error names no key. */
function pathOf(cause: unknown): readonly string[] {
  const { path, keys } = (cause ?? {}) as { path?: readonly PropertyKey[]; keys?: readonly string[] }
  return [...(path ?? []).map(String), ...(keys ?? []).slice(0, 1)]
}
