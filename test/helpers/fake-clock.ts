import type { Clock } from '../../flash/clock.ts'

/** A clock that advances only by `sleep`. */
export class FakeClock implements Clock {
  private milliseconds = 0
  now(): number {
    return this.milliseconds
  }
  async sleep(milliseconds: number): Promise<void> {
    this.milliseconds += milliseconds
  }
}

/** Stops every `sleep` as Ctrl-C does, as soon as `isTime` is true. */
export function stopAfter(clock: FakeClock, isTime: () => boolean): void {
  const sleep = clock.sleep.bind(clock)
  clock.sleep = async (milliseconds) => {
    if (isTime()) throw new DOMException('stopped by SIGINT', 'AbortError')
    await sleep(milliseconds)
  }
}
