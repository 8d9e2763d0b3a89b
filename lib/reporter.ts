/** How a step ended, for the closing table; `done` leaves nothing behind that could be reused. */
export type Ending = 'built' | 'reused' | 'fetched' | 'done'

/** Something that takes time. Bytes where it counts bytes, otherwise nothing. */
export interface Step {
  advance(bytes: number): void
  done(ending: Ending): void
  failed(): void
}

/** Where use-cases say what they do; a terminal, plain lines, or a test's list. */
export interface Reporter {
  step(name: string, totalBytes?: number): Step
  /** A fact worth a line. */
  notice(text: string): void
  /** Something the owner should act on. */
  warn(text: string): void
}
