/** The kind of a failure, which code and tests can compare. */
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
  | 'program'
  | 'key'
  | 'certificate'
  | 'secret'
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
 * A failure that the user can fix. The message names the failed action, the actual value and the wanted value. The hint
 * is the exact command or setting that helps. Every other exception is an internal error.
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
