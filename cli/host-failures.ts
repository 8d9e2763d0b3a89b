import { UserError } from '../errors.ts'

export interface HostFailure {
  readonly host: string
  readonly error: UserError
}

/** The error for hosts that failed: the error of the only host, or one error that lists the message and the hint of each. */
export function failureOf(failures: readonly HostFailure[], { outcome, hint }: { outcome: string; hint: string }) {
  const [only, ...others] = failures
  if (only !== undefined && others.length === 0) return only.error
  const code = only?.error.code ?? 'host'
  const lines = failures.flatMap(({ host, error }) => [
    `  ${host}: ${indented(error.message)}`,
    ...(error.hint === undefined ? [] : [`    hint: ${indented(error.hint)}`]),
  ])
  return new UserError(code, [`${failures.length} hosts failed; ${outcome}`, ...lines].join('\n'), { hint })
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n    ')
}

/**
 * Runs `use` for every host, one after another. When hosts fail with a UserError, goes on with the others, and then throws
 * one error for all of them.
 */
export async function forEveryHost<T>(
  hosts: readonly string[],
  how: { readonly outcome: string; readonly hint: string },
  use: (host: string) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  const failures: HostFailure[] = []
  for (const host of hosts) {
    try {
      results.push(await use(host))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      failures.push({ host, error })
    }
  }
  if (failures.length > 0) throw failureOf(failures, how)
  return results
}
