import { describe, expect, it } from 'vitest'
import { UserError } from '../../../errors.ts'
import { parseAnswer, parseHealth, parseRefusal, parseStatus } from '../../../flash/ssh/answers.ts'
import { parseRanges } from '../../../flash/transfer/ranges.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { updateImage } from '../../helpers/update-image.ts'

const host = new FakeHost(new FakeClock(), updateImage({ name: 'x' }))
const text = (await host.call(['status'], {})).output
const changed = (change: object) => JSON.stringify({ ...JSON.parse(text), ...change })

describe('a status', () => {
  it('is read, with keys that a newer agent adds', () => {
    expect(parseStatus('adama', changed({ colour: 'red' }))).toMatchObject({ host: 'adama', slot: 'a' })
  })

  it('of an agent with other protocols is refused before anything else of it is read', () => {
    const read = () => parseStatus('adama', '{"protocols":[2,3]}')
    expect(read).toThrow("the agent of 'adama' speaks protocol 2, 3, this hangar 1")
  })

  it('shows nothing that a terminal would obey', () => {
    const update = { ...{ id: 'x', kind: 'update', slot: 'b', phase: 'reverted' }, reason: 'a\u001b[2Jb\u0007\u202ec' }
    expect(parseStatus('adama', changed({ update })).update?.reason).toBe('a [2Jb c')
  })

  it.each([
    ['slot', 'c'],
    ['root', 'xyz'],
    ['uptime', -1],
    // Of what lies behind the year 9999 no date can be printed.
    ['uptime', 1e300],
    ['clock', { now: 253_402_300_800, source: 'network' }],
    ['state', 'maybe'],
    ['bootId', 'x\u001b[31m'],
    ['kernel', 'x'.repeat(5000)],
    ['health', { state: 'unhealthy', reasons: Array(1000).fill('x') }],
    ['slots', { a: { state: 'bootable' }, b: { state: 'empty' } }],
  ])('with a %s of %j is refused', (key, value) => {
    expect(() => parseStatus('adama', changed({ [key]: value }))).toThrow(`means nothing at '${key}`)
  })

  it('of any bytes is read or refused, and nothing else', () => {
    let seed = 12345
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(text)
      for (let count = 1 + random(4); count > 0; count--) bytes[random(bytes.length)] = random(256)
      const input = random(4) === 0 ? bytes.toString('utf8', 0, random(bytes.length)) : bytes.toString()
      for (const parse of [parseStatus, parseHealth, parseRefusal, parseRanges]) {
        try {
          parse('adama', input)
        } catch (error) {
          if (!(error instanceof UserError)) throw error
          expect(error.message).not.toMatch(/[\u0000-\u001f]/)
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(3000)
  })
})

describe('an answer', () => {
  it('of another form is refused', () => {
    expect(() => parseAnswer('adama', 'begin', '{"slot":"b","state":"perhaps"}')).toThrow(
      "'begin' that means nothing at 'state'",
    )
    expect(() => parseAnswer('adama', 'commit', 'ok')).toThrow("'commit' that means nothing")
  })

  it('that refuses keeps its code, its words and its hint', () => {
    const refused = parseRefusal('adama', '{"error":{"code":"busy","message":"you@there writes","hint":"wait"}}')
    expect(refused).toMatchObject({ refusal: 'busy', message: "'adama' refuses: you@there writes", hint: 'wait' })
  })
})

describe('a list of what is missing', () => {
  it('is read in order, and whole', () => {
    expect(parseRanges('adama', '0 3\n7 1\nend\n')).toEqual([
      { first: 0, count: 3 },
      { first: 7, count: 1 },
    ])
    expect(parseRanges('adama', 'end\n')).toEqual([])
  })

  it.each(['0 3\n', '0 3\nend', '3 1\n2 1\nend\n', '0 0\nend\n', '0 2\n1 1\nend\n', '-1 2\nend\n', ''])(
    '%j is refused',
    (list) => {
      expect(() => parseRanges('adama', list)).toThrow("'adama' lists missing blocks as")
    },
  )
})
