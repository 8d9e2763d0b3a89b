import { describe, expect, it } from 'vitest'
import { type Cut, type CutOptions, cutPoints, fate } from './cut-points.ts'
import type { LogEntry, WriteLog } from './write-log.ts'

const OPTIONS: CutOptions = { seed: 1, drops: 100, keeps: 100, subsets: 5, torn: 100, critical: () => false }

/** A log: `w` is a write of one sector, `W` of eight sectors, `d` a discard, `f` a flush. */
function logOf(text: string): WriteLog {
  const kinds = { w: 'write', W: 'write', d: 'discard', f: 'flush' } as const
  const entries = [...text].map((letter, number): LogEntry => {
    const length = letter === 'f' ? 0 : letter === 'W' ? 4096 : 512
    return { number, kind: kinds[letter as keyof typeof kinds], offset: number * 4096, length, dataAt: 0 }
  })
  return { entries, read: () => undefined }
}

function cuts(text: string, options: Partial<CutOptions> = {}): Cut[] {
  return [...cutPoints(logOf(text), { ...OPTIONS, ...options })]
}

function ids(text: string, kind: Cut['kind'], options: Partial<CutOptions> = {}): string[] {
  return cuts(text, options)
    .filter((cut) => cut.kind === kind)
    .map(({ id }) => id)
}

/** The state of each entry after a cut: + completely written, / torn, - missing. */
function picture(text: string, id: string): string {
  const cut = cuts(text).find((each) => each.id === id)
  const marks = { whole: '+', torn: '/', missing: '-' }
  return cut === undefined ? 'no such cut' : [...text].map((_, number) => marks[fate(cut, number)]).join('')
}

describe('cutPoints', () => {
  it('cuts the power after every entry, and before the first one', () => {
    expect(ids('wwfw', 'prefix')).toEqual(['prefix@-1', 'prefix@0', 'prefix@1', 'prefix@2', 'prefix@3'])
  })

  it('every cut keeps all flushed writes, and no write that comes after the cut', () => {
    for (const cut of cuts('WWWWfWWWWf').filter(({ epoch }) => epoch.first === 5)) {
      for (const flushed of [0, 1, 2, 3]) expect(fate(cut, flushed)).toBe('whole')
    }
    expect(picture('wwfww', 'prefix@0')).toBe('+----')
  })

  it('drops each single write between two flushes', () => {
    expect(ids('fwwwf', 'drop-one')).toEqual(['drop-one@1', 'drop-one@2'])
    expect(picture('fwwwf', 'drop-one@1')).toBe('+-++-')
  })

  it('keeps each single write as the only one of its epoch', () => {
    expect(ids('fwwwf', 'keep-one')).toEqual(['keep-one@2', 'keep-one@3'])
    expect(picture('fwwwf', 'keep-one@3')).toBe('+--+-')
  })

  it('treats a discard as a write', () => {
    expect(picture('wdw', 'drop-one@1')).toBe('+-+')
  })

  it('tears long writes at sector boundaries, and never short ones', () => {
    const torn = cuts('wW').filter(({ kind }) => kind === 'torn')
    expect(torn.length).toBeGreaterThanOrEqual(3)
    for (const { pieces } of torn) {
      const [{ entry, from, to } = { entry: undefined, from: 0, to: 0 }] = pieces
      expect(entry?.number).toBe(1)
      expect([from % 512, to % 512]).toEqual([0, 0])
      expect(to - from).toBeGreaterThan(0)
      expect(to - from).toBeLessThan(4096)
    }
    expect(picture('wW', 'torn@1:last')).toBe('+/')
  })

  it('tears a write and drops the other writes of its epoch', () => {
    expect(picture('WWf', 'torn@1:last-alone')).toBe('-/-')
    // The first write has no such cut: tearing it after all earlier writes gives the same disk.
    expect(ids('WWf', 'torn').filter((id) => id.startsWith('torn@0') && id.endsWith('-alone'))).toEqual([])
  })

  it('returns no subset twice', () => {
    const drawn = cuts('wwwwf', { subsets: 200 }).filter(({ kind }) => kind === 'subset')
    const distinct = new Set(drawn.map(({ pieces }) => pieces.map(({ entry }) => entry.number).join()))
    expect(drawn).toHaveLength(distinct.size)
    expect(drawn.length).toBeGreaterThan(8)
  })

  it('returns the same cuts for the same seed, and others for another seed', () => {
    const text = 'WWWWWWWWfWWWWWWWWf'
    const chosen = (seed: number) => JSON.stringify(cuts(text, { seed, drops: 2, subsets: 3 }))
    expect(chosen(4)).toBe(chosen(4))
    expect(chosen(4)).not.toBe(chosen(5))
  })

  it('respects the sample sizes, but includes every critical write', () => {
    const text = `${'w'.repeat(40)}f`
    expect(ids(text, 'drop-one', { drops: 6 }).length).toBeLessThanOrEqual(6)
    const critical = ({ number }: LogEntry) => number === 17 || number === 23
    for (const seed of [1, 2, 3]) {
      const dropped = ids(text, 'drop-one', { seed, drops: 1, critical })
      expect(dropped).toEqual(expect.arrayContaining(['drop-one@17', 'drop-one@23']))
    }
  })
})
