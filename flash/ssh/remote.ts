export interface CallOptions {
  readonly input?: AsyncIterable<Uint8Array>
  /** The most bytes of output that are taken; more is an error. */
  readonly limit: number
  /** Seconds after which the call is given up. */
  readonly deadline: number
}

export interface Called {
  readonly exitCode: number
  readonly output: string
  /** What it wrote to standard error: a few lines, without control characters. */
  readonly complaint: string
}

/**
 * A way to the agent of one host. A call rejects with the code `unreachable` where the host was not reached or the
 * connection broke: what the agent has done by then is not known.
 */
export interface Remote {
  readonly host: string
  /** Where it is looked for, for people: `10.0.10.11`. */
  readonly at: string
  call(words: readonly string[], options: CallOptions): Promise<Called>
  /** Forgets the connection; the next call makes another. */
  disconnect(): Promise<void>
}

/** A device's text without anything that a terminal would obey: control and formatting characters become spaces. */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim()
}
