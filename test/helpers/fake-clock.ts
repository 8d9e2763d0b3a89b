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
