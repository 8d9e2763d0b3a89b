/** The kinds of refusals, which are codes of UserError. */
export type RefusalCode = 'carry' | 'ids' | 'host'

/**
 * A step cannot build its layer from these inputs, and the owner can change them. Steps run in a sandbox and have only
 * their output to say so: the builder reads the refusal from the last line of the log.
 */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly hint: string

  constructor(code: RefusalCode, message: string, hint: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.hint = hint
  }
}

const MARK = 'hangar refuses: '

/** The line that a step prints for a refusal. */
export function refusalLine({ code, message, hint }: Refusal): string {
  return `${MARK}${JSON.stringify({ code, message, hint })}`
}

/** The refusal in the last line of a step's log; undefined if the step ended in another way. */
export function refusalIn(log: string): Refusal | undefined {
  const line = log.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith(MARK)) return undefined
  try {
    const { code, message, hint } = JSON.parse(line.slice(MARK.length))
    return new Refusal(code, String(message), String(hint))
  } catch {
    return undefined
  }
}
