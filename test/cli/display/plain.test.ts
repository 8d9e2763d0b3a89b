import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { plainReporter } from '../../../cli/display/plain.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function reporter() {
  const lines: string[] = []
  return { lines, ...plainReporter((line) => lines.push(line), { now: () => Date.now() }) }
}

describe('plainReporter', () => {
  it('prints one line at the end of a short step', () => {
    const { lines, step } = reporter()
    const base = step('base')
    vi.advanceTimersByTime(400)
    base.done('built')
    expect(lines).toEqual(['base: built, 0.4 s'])
  })

  it('prints a line at the start of a step that takes more than a second', () => {
    const { lines, step } = reporter()
    const fetch = step('fetch', 4_000_000)
    vi.advanceTimersByTime(1500)
    expect(lines).toEqual(['fetch ...'])
    fetch.advance(4_000_000)
    fetch.done('fetched')
    expect(lines.at(-1)).toBe('fetch: fetched, 4.0 MB in 1.5 s')
  })

  it('prints the progress of a long step from time to time', () => {
    const { lines, step } = reporter()
    const fetch = step('fetch', 90_000_000)
    for (let second = 0; second < 30; second += 1) {
      fetch.advance(1_000_000)
      vi.advanceTimersByTime(1000)
    }
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^fetch \.\.\. 30 MB of 90 MB, \d\.\d MB\/s, .+ left$/)
  })

  it('prints a failed step once, and no progress after that', () => {
    const { lines, step } = reporter()
    step('kernel').failed()
    vi.advanceTimersByTime(60_000)
    expect(lines).toEqual(['kernel: failed after 0.0 s'])
  })

  it('counts the steps whose outputs were in the store in one line at the end', () => {
    const { lines, step, close } = reporter()
    for (const name of ['a', 'b']) step(name).done('reused')
    close()
    close()
    expect(lines).toEqual(['2 steps from the store'])
  })

  it('prefixes warnings, but not notices', () => {
    const { lines, notice, warn } = reporter()
    notice('made a key')
    warn('no key')
    expect(lines).toEqual(['made a key', 'warning: no key'])
  })
})
