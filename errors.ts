/** What went wrong, for a program to tell apart. */
export type ErrorCode =
  | 'usage'
  | 'host'
  | 'lock'
  | 'frozen'
  | 'fetch'
  | 'digest'
  | 'signature'
  | 'derivation'
  | 'sandbox'
  | 'engine'
  | 'store'
  | 'format'
  | 'carry'
  | 'ids'
  | 'size'
  | 'busy'
  | 'key'
  | 'vm'
  | 'unreachable'
  | 'host-key'
  | 'login'
  | 'agent'
  | 'update'
  | 'export'
  | 'generation'
  | 'registry'
  | 'private'
  | 'stopped'

/**
 * A failure that the owner can do something about. The message states what failed, quotes values and says what was
 * wanted; the hint is the exact command or setting that helps. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.code = code
    this.hint = options.hint
  }
}
