export interface CallOptions {
  readonly input?: AsyncIterable<Uint8Array>
  /** The largest output of a call, in bytes. A longer output is an error. */
  readonly limit: number
  /** The time in seconds after which the call fails. */
  readonly deadline: number
}

export interface Called {
  readonly exitCode: number
  readonly output: string
  /** The last lines of stderr, without control characters. */
  readonly stderr: string
}

/**
 * A connection to the agent of one host. A call rejects with the code `unreachable` if the host did not answer or the
 * connection broke. In this case the agent may or may not have performed the call.
 */
export interface Remote {
  readonly host: string
  /** The address of the host, for messages: `10.0.10.11`. */
  readonly at: string
  call(words: readonly string[], options: CallOptions): Promise<Called>
  /** Closes the connection. The next call opens a new one. */
  disconnect(): Promise<void>
}

/**
 * Makes text of a device safe for a terminal: replaces control and formatting characters, which a terminal could
 * interpret, by spaces.
 */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
}

/** The same for text of several lines. Removes empty lines. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainText).filter(Boolean).join('\n')
}
