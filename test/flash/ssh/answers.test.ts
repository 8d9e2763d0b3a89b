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

describe('parseStatus', () => {
  it('ignores keys that a newer agent adds', () => {
    expect(parseStatus('adama', changed({ colour: 'red' }))).toMatchObject({ host: 'adama', slot: 'a' })
  })

  it('refuses an agent with other protocol versions before it reads other fields', () => {
    const read = () => parseStatus('adama', '{"protocols":[2,3]}')
    expect(read).toThrow("the agent of 'adama' speaks protocol 2, 3, this hangar speaks 1")
  })

  it('removes control characters from a status', () => {
    const update = { ...{ id: 'x', kind: 'update', slot: 'b', phase: 'reverted' }, reason: 'a\u001b[2Jb\u0007\u202ec' }
    expect(parseStatus('adama', changed({ update })).update?.reason).toBe('a [2Jb c')
  })

  it.each([
    ['slot', 'c'],
    ['root', 'xyz'],
    ['uptime', -1],
    // Times after the year 9999 cannot be printed.
    ['uptime', 1e300],
    ['clock', { now: 253_402_300_800, source: 'network' }],
    ['state', 'maybe'],
    ['bootId', 'x\u001b[31m'],
    ['kernel', 'x'.repeat(5000)],
    ['health', { state: 'unhealthy', reasons: Array(1000).fill('x') }],
    ['slots', { a: { state: 'bootable' }, b: { state: 'empty' } }],
  ])('refuses a status with %s %j', (key, value) => {
    expect(() => parseStatus('adama', changed({ [key]: value }))).toThrow(`to 'status' at '${key}`)
  })

  it('every parser accepts any bytes or refuses them with a UserError', () => {
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

describe('parseAnswer', () => {
  it('refuses an answer of an unknown form', () => {
    expect(() => parseAnswer('adama', 'begin', '{"slot":"b","state":"perhaps"}')).toThrow("to 'begin' at 'state'")
    expect(() => parseAnswer('adama', 'commit', 'ok')).toThrow(
      "cannot read the answer of the agent of 'adama' to 'commit'",
    )
  })

  it('keeps code, message and hint of a refusal', () => {
    const refused = parseRefusal('adama', '{"error":{"code":"busy","message":"you@there writes","hint":"wait"}}')
    expect(refused).toMatchObject({ refusal: 'busy', message: "'adama' refuses: you@there writes", hint: 'wait' })
  })
})

describe('parseRanges', () => {
  it('reads the ranges of blocks in order', () => {
    expect(parseRanges('adama', '0 3\n7 1\nend\n')).toEqual([
      { first: 0, count: 3 },
      { first: 7, count: 1 },
    ])
    expect(parseRanges('adama', 'end\n')).toEqual([])
  })

  it.each(['0 3\n', '0 3\nend', '3 1\n2 1\nend\n', '0 0\nend\n', '0 2\n1 1\nend\n', '-1 2\nend\n', ''])(
    'refuses the ranges %j',
    (list) => {
      expect(() => parseRanges('adama', list)).toThrow("'adama' lists missing blocks as")
    },
  )
})
