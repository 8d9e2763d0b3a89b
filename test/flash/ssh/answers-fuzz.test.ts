import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../errors.ts'
import {
  type ANSWERS,
  parseAnswer,
  parseHealth,
  parseRefusal,
  parseState,
  parseStatus,
} from '../../../flash/ssh/answers.ts'
import { keyscan } from '../../../flash/ssh/keyscan.ts'
import { parseRanges } from '../../../flash/transfer/ranges.ts'
import { MULTIARCH } from '../../../images/architecture.ts'
import { FakeHost } from '../../helpers/fake-agent.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { onPath } from '../../helpers/fake-device.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { updateImage } from '../../helpers/update-image.ts'
import { type Random, randomFrom } from '../../power-cut/random.ts'

const host = new FakeHost(new FakeClock(), updateImage({ name: 'x' }))
const STATUS = JSON.parse((await host.call(['status'], {})).output)
const UPDATE = { id: 'one', kind: 'update', slot: 'b', root: 'ab'.repeat(32), phase: 'reverted', reason: 'why' }
const STARTS = { state: 'stays', failed: 3, stays: 'slot b fails too', reason: 'a panic' }
const { bootId, slot, root, state, committed, health } = STATUS

const parseAs =
  (name: keyof typeof ANSWERS) =>
  (of: string, text: string): unknown =>
    parseAnswer(of, name, text)

type Parse = (of: string, text: string) => unknown
const GOOD: readonly (readonly [string, Parse, object])[] = [
  ['a status', parseStatus, { ...STATUS, update: UPDATE, starts: STARTS, lock: { owner: 'me@laptop:x', age: 1 } }],
  ['a state', parseState, { bootId, slot, root, state, committed, update: UPDATE, health }],
  ['health', parseHealth, { state: 'unhealthy', reasons: ['one', 'two'] }],
  ['a refusal', parseRefusal, { error: { code: 'busy', message: 'another controller writes', hint: 'wait' } }],
  ['the answer to begin', parseAs('begin'), { slot: 'b', state: 'begun' }],
  ['the answer to blocks', parseAs('blocks'), { ok: true, blocks: 5 }],
  ['the answer to finish', parseAs('finish'), { ok: true, slot: 'b', root }],
  ['the answer to arm', parseAs('arm'), { ok: true, id: 'one' }],
  ['the answer to commit', parseAs('commit'), { ok: true, slot: 'b' }],
  ['the answer to revert', parseAs('revert'), { ok: true, id: 'one', slot: 'a', root }],
]

const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    [],
    {},
    '',
    0,
    -1,
    0.5,
    1e300,
    -0,
    'a',
    'b',
    '-',
    [[]],
    Array(2000).fill('x'),
    'x'.repeat(9000),
  ],
  ...['\u001b[2J', '\u0007', 'a\nb', '\u202e', '\u2028', '\u009b31m', '\0', '\ud800', '__proto__', { __proto__: null }],
]
const KEYS = ['__proto__', 'constructor', '\u001b[2J', 'toString', '', 'x\ny']

type Json = Record<string, unknown>

function mutated(good: object, random: Random): string {
  const below = (count: number) => Math.floor(random() * count)
  const one = <T>(items: readonly T[]): T => items[below(items.length)] as T
  const value = structuredClone(good) as Json
  let at = value
  for (let depth = below(4); depth > 0; depth--) {
    const inner = Object.values(at).filter((each) => typeof each === 'object' && each !== null)
    if (inner.length > 0) at = one(inner) as Json
  }
  const key = one(Object.keys(at).length > 0 ? Object.keys(at) : ['x'])
  const kind = random()
  if (kind < 0.1) delete at[key]
  else if (kind < 0.2) Object.defineProperty(at, one(KEYS), { value: one(ODD), enumerable: true })
  else at[key] = one(ODD)
  const text = JSON.stringify(random() < 0.03 ? one(ODD) : value)
  if (random() < 0.1) return text.slice(0, below(text.length))
  return random() < 0.1 ? `${text}${one(['x', text, '\n', '\0'])}` : text
}

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/u

/** Returns every text in a value, keys included. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...texts(inner)])
}

/** `parsed`, or `refused` with a printable message. Any other error is a bug. */
function outcome(parse: Parse, text: string): 'parsed' | 'refused' {
  try {
    const parsed = parse('adama', text)
    if (parsed === undefined) return 'refused'
    const shown = parsed instanceof UserError ? [parsed.message, parsed.hint ?? ''] : texts(parsed)
    expect(shown.filter((each) => CONTROL.test(each))).toEqual([])
    return 'parsed'
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    expect(error.hint).toBeTruthy()
    expect([error.message, error.hint ?? ''].filter((each) => CONTROL.test(each))).toEqual([])
    return 'refused'
  }
}

const count = (outcomes: readonly string[], of: string) => outcomes.filter((each) => each === of).length

describe('each of a thousand almost valid answers', () => {
  it.each(GOOD)(
    'an almost valid answer to read %s is parsed, or refused with a printable message',
    (_name, parse, good) => {
      expect(outcome(parse, JSON.stringify(good))).toBe('parsed')
      const outcomes = Array.from({ length: 1000 }, (_, place) => outcome(parse, mutated(good, randomFrom(21, place))))
      expect([count(outcomes, 'parsed') > 10, count(outcomes, 'refused') > 100]).toEqual([true, true])
    },
  )

  it('an almost valid list of missing blocks is parsed in order, or refused', () => {
    const good = '0 3\n7 1\n100 4096\n9999 1\nend\n'
    const outcomes = Array.from({ length: 1000 }, (_, place) => {
      const random = randomFrom(22, place)
      const bytes = Buffer.from(good)
      const at = () => Math.floor(random() * bytes.length)
      for (let times = 1 + Math.floor(random() * 2); times > 0; times--)
        if (random() < 0.5) bytes[at()] = Math.floor(random() * 256)
        else bytes.copy(bytes, at(), at())
      return outcome((of, text) => {
        const ranges = parseRanges(of, text)
        let next = 0
        for (const range of ranges) {
          expect([Number.isSafeInteger(range.first), range.first >= next, range.count > 0]).toEqual([true, true, true])
          next = range.first + range.count
        }
        return ranges
      }, bytes.toString())
    })
    expect([count(outcomes, 'parsed') > 10, count(outcomes, 'refused') > 100]).toEqual([true, true])
  })
})

const KEY = `ssh-ed25519 ${Buffer.alloc(51, 7).toString('base64')}`

/** Runs `keyscan` with a fake `ssh-keyscan` that prints `stdout` and `stderr`. */
async function scanPrinting(stdout: Uint8Array | string, stderr = '') {
  const directory = await tempDirectory()
  const libraries = join(directory, 'usr/lib', MULTIARCH.amd64)
  for (const path of [libraries, join(directory, 'usr/bin')]) mkdirSync(path, { recursive: true })
  const loader = join(libraries, 'ld-linux-x86-64.so.2')
  writeFileSync(loader, `#!/bin/sh\ncat "${libraries}/stdout"\ncat "${libraries}/stderr" >&2\n`)
  chmodSync(loader, 0o755)
  writeFileSync(join(directory, 'usr/bin/ssh-keyscan'), '')
  writeFileSync(join(libraries, 'stdout'), stdout)
  writeFileSync(join(libraries, 'stderr'), stderr)
  return keyscan({
    programs: { directory, architecture: 'amd64' },
    host: 'adama',
    at: { address: '192.0.2.9', port: 22 },
  })
}

describe.skipIf(onPath('setpriv') === undefined)('keyscan', () => {
  it('returns only well-formed keys for any bytes that a machine sends', async () => {
    const good = `# 192.0.2.9:22 SSH-2.0-OpenSSH_10.0\n192.0.2.9 ${KEY}\n`
    expect(await scanPrinting(good)).toEqual([KEY])
    let refused = 0
    for (let place = 0; place < 80; place++) {
      const random = randomFrom(23, place)
      const bytes = Buffer.from(good)
      for (let times = 1 + Math.floor(random() * 3); times > 0; times--)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 64)
      const keys = await scanPrinting(bytes, `x\n${bytes.toString('latin1')}`).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error
        expect([error.code, CONTROL.test(error.message), CONTROL.test(error.hint ?? '\n')]).toEqual([
          'unreachable',
          false,
          false,
        ])
        refused++
        return []
      })
      for (const key of keys) expect(key).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]+=*$/)
    }
    expect(refused).toBeGreaterThan(5)
  })
})
