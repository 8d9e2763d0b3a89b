import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { terminalReporter } from '../../../cli/display/terminal.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A terminal that interprets the escape sequences of the reporter; `seen` are the visible rows. */
function terminal({ columns = 60, rows = 10, color = false } = {}) {
  const seen: string[] = []
  let row = 0
  const raw: string[] = []
  const write = (text: string) => {
    raw.push(text)
    for (const [, up, line, clear] of text.matchAll(/\x1b\[(\d+)A|\r([^\n]*)\x1b\[K\n|(\x1b\[J)/g)) {
      if (up !== undefined) row -= Number(up)
      if (line !== undefined) seen[row++] = line
      if (clear !== undefined) seen.length = row
    }
  }
  const reporter = terminalReporter({ write, size: () => ({ columns, rows }), color }, { now: () => Date.now() })
  return { seen, raw, ...reporter }
}

describe('terminalReporter', () => {
  it('shows running steps with bytes, rate and time left, redrawn in place', () => {
    const { seen, step, close } = terminal()
    const fetch = step('fetch', 80_000_000)
    step('base')
    for (let second = 0; second < 4; second += 1) {
      fetch.advance(10_000_000)
      vi.advanceTimersByTime(1000)
    }
    expect(seen).toHaveLength(3)
    expect(seen[0]).toMatch(/^ {2}fetch {2}40 MB of 80 MB, \d+ MB\/s, \d\.\d s left$/)
    expect(seen[1]).toMatch(/^ {2}base {3}\d\.\d s$/)
    expect(seen[2]).toBe('  2 running, 0 done')
    close()
  })

  it('moves finished steps above the running ones, and does not move them again', () => {
    const { seen, step, close } = terminal()
    const [base, kernel] = [step('base'), step('kernel')]
    vi.advanceTimersByTime(2000)
    base.done('built')
    expect(seen[0]).toBe('✓ base  2.0 s')
    kernel.failed()
    close()
    expect(seen).toEqual(['✓ base  2.0 s', '✗ kernel  failed after 2.0 s'])
  })

  it('counts the steps whose outputs were in the store', () => {
    const { seen, step, close } = terminal()
    step('base').done('reused')
    step('kernel')
    vi.advanceTimersByTime(100)
    expect(seen.at(-1)).toBe('  1 running, 0 done, 1 step from the store')
    close()
    expect(seen).toEqual(['1 step from the store'])
  })

  it('the output fits into the rows and columns of the terminal', () => {
    const { seen, step, close } = terminal({ columns: 20, rows: 6 })
    for (let count = 0; count < 9; count += 1) step(`a step with a long name ${count}`)
    vi.advanceTimersByTime(100)
    expect(seen).toHaveLength(5)
    expect(seen[3]).toBe('  and 6 more')
    for (const line of seen) expect(line.length).toBeLessThan(20)
    close()
  })

  it.each(
    [0, -1, Number.NaN, Number.POSITIVE_INFINITY, undefined, 1, 1.5].flatMap((columns) =>
      [0, Number.NaN, undefined, 1].map((rows) => [columns, rows] as const),
    ),
  )('writes no escape with a number that is not finite on a terminal of %s columns and %s rows', (columns, rows) => {
    const raw: string[] = []
    let size = { columns: 60, rows: 10 }
    const write = (text: string) => void raw.push(text)
    const { step, notice, close } = terminalReporter(
      { write, size: () => size, color: true },
      { now: () => Date.now() },
    )
    step('base')
    vi.advanceTimersByTime(200)
    // The terminal changes its size while the display runs.
    size = { columns, rows } as typeof size
    const kernel = step('kernel', 100)
    vi.advanceTimersByTime(200)
    notice('made a key')
    kernel.done('built')
    close()
    const escapes = raw.join('').match(/\x1b\[[^A-Z]*[A-Zm]/gi) ?? []
    expect(escapes.length).toBeGreaterThan(5)
    expect(escapes.filter((each) => !/^\x1b\[(|[1-9]\d{0,3})[AKJ]$|^\x1b\[\d+m$/.test(each))).toEqual([])
    expect(raw.join('')).not.toMatch(/Infinity|NaN|undefined/)
  })

  it('prints notices and warnings above the live rows', () => {
    const { seen, step, notice, warn, close } = terminal()
    step('base')
    notice('made a key')
    warn('look')
    vi.advanceTimersByTime(100)
    expect(seen.slice(0, 2)).toEqual(['made a key', 'warning: look'])
    close()
  })

  it('writes nothing if nothing changed, and nothing after the reporter is closed', () => {
    const { raw, close } = terminal()
    vi.advanceTimersByTime(1000)
    close()
    vi.advanceTimersByTime(1000)
    expect(raw).toEqual([])
  })

  it('prints steps that start after the reporter was closed', () => {
    const { seen, step, close } = terminal()
    close()
    step('write', 100).advance(50)
    vi.advanceTimersByTime(1000)
    expect(seen.at(-2)).toMatch(/^ {2}write {2}50 B of 100 B/)
    close()
  })

  it('uses colors only if they are enabled', () => {
    const ended = (color: boolean) => {
      const { raw, step, close } = terminal({ color })
      step('base').done('built')
      close()
      return raw.join('')
    }
    expect(ended(true)).toContain('\x1b[32m✓')
    expect(ended(false)).not.toMatch(/\x1b\[\d+m/)
  })
})
