import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDisk } from '../../flash/vm/disk.ts'
import { type Cut, fate } from './cut-points.ts'
import { type FakeDisk, type FakeUpdate, fakeDisk, fakeUpdate, NEVER, STEPS, type Step } from './fake-update.ts'
import { formatReport } from './report.ts'
import { type SweepReport, type SweepRequest, sweep } from './sweep.ts'
import type { Verdict } from './verdict.ts'
import { withoutFlush, withWriteLog } from './write-log.ts'

let directory: string
let disk: FakeDisk
let update: FakeUpdate

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hangar-sweep-'))
  disk = await fakeDisk(directory)
  update = fakeUpdate(disk, join(directory, 'right.log'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

interface Given extends Partial<Pick<SweepRequest, 'options' | 'only'>> {
  readonly update?: FakeUpdate
  readonly without?: readonly Step[]
}

/** The expected slot: the old one before the selector's write, the new one after its flush, and either of them in between. */
function expectedBy(selectorWrite: number) {
  return (cut: Cut, { runs }: Verdict) => {
    const isOld = selectorWrite === NEVER || fate(cut, selectorWrite) === 'missing'
    const wanted = isOld ? 'a' : 'b'
    return runs?.slot === wanted ? undefined : `runs ${runs?.slot}, wanted ${wanted}`
  }
}

function swept({ update: given = update, without = [], ...rest }: Given = {}): SweepReport {
  return withDisk(disk.base, (base) =>
    withWriteLog(given.log, (log) => {
      const holed = withoutFlush(log, ...without.map((step) => given.flushes[step]))
      return sweep({ base, log: holed, expected: expectedBy(given.selectorWrite), ...rest })
    }),
  )
}

function reordered(...order: Step[]): FakeUpdate {
  return fakeUpdate(disk, join(directory, `${order.join('-')}.log`), order)
}

describe('a sweep over a correct update', () => {
  it('finds no failure in a correct update', () => {
    const report = swept()
    expect(report.failures).toEqual([])
    expect(report.rows.map(({ kind }) => kind).sort()).toEqual(['drop-one', 'keep-one', 'prefix', 'subset', 'torn'])
    for (const { tried, verified } of report.rows) expect(verified).toBe(tried)
  })

  it('the sweep tries every prefix of the log', () => {
    const report = swept()
    expect(report.rows.find(({ kind }) => kind === 'prefix')?.tried).toBe(report.entries + 1)
  })

  it('gives the same report every time', () => {
    expect(swept({ options: { seed: 7 } })).toEqual(swept({ options: { seed: 7 } }))
  })

  it("expects the old slot before the selector's write and the new one after it", () => {
    const { rows } = swept()
    for (const { a, b, tried, stuck } of rows) expect({ sum: a + b, stuck }).toEqual({ sum: tried, stuck: 0 })
    expect(rows.find(({ kind }) => kind === 'prefix')).toMatchObject({ b: 2 })
  })
})

describe('a sweep over a faulty update', () => {
  it('detects a selector that may reach the disk before the slot does', () => {
    const order: Step[] = ['unboot', 'boot files', 'first block', 'slot', 'selector']
    const { failures } = swept({ update: reordered(...order), without: ['slot'] })
    expect(failures.some(({ kind }) => kind === 'keep-one')).toBe(true)
    expect(failures[0]?.problems.join()).toMatch(/slot|root/)
  })

  it('detects a first block that may reach the disk before the other boot files', () => {
    const order: Step[] = ['unboot', 'slot', 'selector', 'boot files', 'first block']
    expect(swept({ update: reordered(...order), without: ['boot files'] }).failures).not.toEqual([])
  })

  it('detects a write to the running slot', () => {
    const order: Step[] = [...STEPS, 'slot']
    const wrong: FakeDisk = { ...disk, slot: disk.slot.map((byte) => byte ^ 1) }
    const given = fakeUpdate(wrong, join(directory, 'over.log'), ['slot'])
    expect(swept({ update: given }).failures).toEqual([])
    const over = fakeUpdate(wrong, join(directory, 'over-b.log'), order)
    expect(swept({ update: over }).failures.some(({ problems }) => /b: data block|neither/.test(problems.join()))).toBe(
      true,
    )
  })

  it('can repeat a single failure', () => {
    const given = reordered('unboot', 'boot files', 'first block', 'slot', 'selector')
    const [first] = swept({ update: given, without: ['slot'] }).failures
    const again = swept({ update: given, without: ['slot'], only: ({ id }) => id === first?.id })
    expect(again.failures).toEqual([first])
    expect(again.rows.map(({ tried }) => tried)).toEqual([1])
  })

  it('reports the problem and the cut of each failure', () => {
    const given = reordered('unboot', 'boot files', 'first block', 'slot', 'selector')
    const report = swept({ update: given, without: ['slot'] })
    const text = formatReport(report)
    expect(text).toMatch(/^cut points +tried +boots a/)
    expect(text).toContain(`failed: ${report.failures[0]?.id}: `)
    expect(text).toMatch(new RegExp(`^total +${report.rows.reduce((sum, { tried }) => sum + tried, 0)} `, 'm'))
  })
})
