interface Waiter {
  readonly pattern: RegExp
  readonly after: number
  readonly found: (match: RegExpExecArray) => void
  readonly ended: () => void
}

/** The output of a machine's serial port so far. */
export class SerialConsole {
  private readonly waiters = new Set<Waiter>()
  private written = ''
  private over = false

  get text(): string {
    return this.written
  }

  append(text: string): void {
    this.written += text
    for (const waiter of [...this.waiters]) this.serve(waiter)
  }

  /** Marks the machine as ended; every pending `waitFor` fails. */
  end(): void {
    this.over = true
    for (const waiter of [...this.waiters]) waiter.ended()
    this.waiters.clear()
  }

  /**
   * Waits for the first match after the first `after` characters. If there is no match within `seconds`, throws an
   * error with the last lines.
   */
  waitFor(pattern: RegExp, seconds: number, after = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        this.waiters.delete(waiter)
        clearTimeout(timer)
        reject(new Error(`${reason}: ${pattern}; the console's last lines:\n${this.lastLines(25)}`))
      }
      const timer = setTimeout(() => fail(`not on the console within ${seconds} s`), seconds * 1000)
      const found = (match: RegExpExecArray) => {
        clearTimeout(timer)
        resolve(match)
      }
      const waiter = { pattern, after, found, ended: () => fail('the machine ended before the console showed') }
      this.waiters.add(waiter)
      this.serve(waiter)
      if (this.over && this.waiters.has(waiter)) waiter.ended()
    })
  }

  lastLines(count: number): string {
    return this.written.split('\n').slice(-count).join('\n')
  }

  private serve(waiter: Waiter): void {
    const match = waiter.pattern.exec(this.written.slice(waiter.after))
    if (match === null) return
    this.waiters.delete(waiter)
    waiter.found(match)
  }
}
