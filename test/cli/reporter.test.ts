import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { openReporter } from '../../cli/reporter.ts'

/** What a step and a notice write to a terminal with these properties. */
function written(terminal: { isTTY?: boolean; columns?: number; rows?: number }, env: NodeJS.ProcessEnv = {}): string {
  const stream = () => Object.assign(new PassThrough(), terminal)
  const [stdout, stderr] = [stream(), stream()]
  const reporter = openReporter({ stdout, stderr, env } as unknown as NodeJS.Process)
  reporter.notice('made a key')
  reporter.step('base').done('built')
  reporter.close()
  return String(stdout.read() ?? '')
}

const ESCAPE = /\x1b/

describe('openReporter', () => {
  it('draws a live display on a terminal', () => {
    expect(written({ isTTY: true, columns: 80, rows: 24 })).toMatch(ESCAPE)
  })

  it.each([
    ['a pipe', {}, {}],
    ['a dumb terminal', { isTTY: true, columns: 80, rows: 24 }, { TERM: 'dumb' }],
    ['a terminal of 0 columns and 0 rows', { isTTY: true, columns: 0, rows: 0 }, {}],
    ['a terminal of 0 columns', { isTTY: true, columns: 0, rows: 24 }, {}],
    ['a terminal of 0 rows', { isTTY: true, columns: 80, rows: 0 }, {}],
    ['a terminal without a known size', { isTTY: true }, {}],
  ])('prints plain lines to %s', (_, terminal, env) => {
    const text = written(terminal, env)
    expect(text).toMatch(/^made a key\nbase: built, /)
    expect(text).not.toMatch(ESCAPE)
  })
})
