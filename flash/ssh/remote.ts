export interface CallOptions {
  readonly input?: AsyncIterable<Uint8Array>
  /** The most bytes of output; more is an error. */
  readonly limit: number
  /** Seconds after which the call fails. */
  readonly deadline: number
}

export interface Called {
  readonly exitCode: number
  readonly output: string
  /** A few lines, without control characters. */
  readonly stderr: string
}

/**
 * A connection to the agent of one host. A call rejects with the code `unreachable` if the host was not reached or the
 * connection broke: the agent may or may not have carried out the call.
 */
export interface Remote {
  readonly host: string
  /** The address, for messages: `10.0.10.11`. */
  readonly at: string
  call(words: readonly string[], options: CallOptions): Promise<Called>
  /** Closes the connection; the next call opens another. */
  disconnect(): Promise<void>
}

/** A device's text for a terminal: control and formatting characters, which a terminal could act on, become spaces. */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
}
