import type { Clock } from '../../flash/clock.ts'

/** A clock that goes on only where somebody waits. */
export class FakeClock implements Clock {
  private milliseconds = 0
  now(): number {
    return this.milliseconds
  }
  async sleep(milliseconds: number): Promise<void> {
    this.milliseconds += milliseconds
  }
}

/** Whoever waits is stopped, as by Ctrl-C, from when that is true. */
export function stopAfter(clock: FakeClock, isTime: () => boolean): void {
  const sleep = clock.sleep.bind(clock)
  clock.sleep = async (milliseconds) => {
    if (isTime()) throw new DOMException('stopped by SIGINT', 'AbortError')
    await sleep(milliseconds)
  }
}
