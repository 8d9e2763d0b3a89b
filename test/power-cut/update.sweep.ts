import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BLOCK } from '../../images/layout.ts'
import { treeSize } from '../../images/slot/verity.ts'
import { adama } from '../helpers/adama.ts'
import { checkPrograms } from '../helpers/check-programs.ts'
import { agentStatus, healthy } from '../helpers/lab.ts'
import { bootHost } from '../helpers/vm.ts'
import { agentSteps } from './agent-steps.ts'
import { slice } from './disk-state.ts'
import { expecting, expectingFirstBoot, part, sideAt } from './expectation.ts'
import { ExternalChecks } from './external-checks.ts'
import { type Control, controls, formatControls, unwrittenData } from './flush-controls.ts'
import { PROBE, type Recording, record } from './recording.ts'
import { type ChangeKind, problemsAt, spread, withChange } from './recording-cuts.ts'
import { formatReport } from './report.ts'
import { diskAt, SCENARIOS } from './scenarios.ts'
import { type SweepReport, sweep } from './sweep.ts'

/** Seconds for a machine to boot. */
const PATIENCE = 1500
/** Smallest accepted count of cuts. */
const LEAST = 2000
/** Sample size that takes every write. */
const ALL = Number.POSITIVE_INFINITY
const THOROUGH = { drops: ALL, keeps: ALL, torn: ALL, subsets: 320 }
/** Counts of cuts that btrfs and veritysetup check, too. */
const DATA_SAMPLES = 40
const SLOT_SAMPLES = 10

/** Steps whose missing flush has no effect, and why. */
const HARMLESS: Readonly<Record<string, string>> = {
  'first block but its first sector':
    'Linux writes whole blocks, so the write of the first sector contains the rest of its block',
  'first sector': 'the agent reads the sector back before it arms the trial',
  'record: written': 'a record of one sector cannot be torn, and the former record is in the other place',
  'record: armed': 'the same, and the flag that is set next is not on the disk',
  'record: trial': 'the same, and the next boot asks the firmware whether it is a trial',
  'identity, first copy': 'the second copy is complete by then',
  'record: committed': 'the next boot makes it from "committing" again',
}
const CHANGES: readonly (readonly [title: string, kind: ChangeKind])[] = [
  ['an update', 'update'],
  ['a revert', 'revert'],
]

let recording: Recording
let directory: string
let external: ExternalChecks

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangar-sweep-'))
  external = new ExternalChecks(await checkPrograms(), directory)
  recording = await record()
})

afterAll(() => {
  recording?.remove()
  rmSync(directory, { recursive: true, force: true })
})

describe('the first boot', () => {
  it('the first boot ends the same after a power cut at any write', () => {
    const range = { from: 0, to: recording.marks.stageBegins }
    const report = withChange(recording, 'update', (base, log) =>
      sweep({ base, log, range, expected: expectingFirstBoot() }),
    )
    process.stdout.write(`\nthe first boot\n${formatReport(report)}\n`)
    expect(report.failures).toEqual([])
  })
})

describe.each(CHANGES)('%s', (title, kind) => {
  const tried: string[] = []
  let report: SweepReport

  it('boots a complete slot with its own data after a power cut at any write', () => {
    report = withChange(recording, kind, (base, log, change) => {
      const expected = expecting(change)
      const noted: typeof expected = (cut, verdict, disk) => {
        tried.push(cut.id)
        return expected(cut, verdict, disk)
      }
      return sweep({ base, log, options: THOROUGH, range: change.range, expected: noted })
    })
    process.stdout.write(`\n${title}\n${formatReport(report)}\n`)
    expect(report.failures).toEqual([])
  })

  it(`tries ${LEAST} cuts or more, including every write, and a complete slot boots after each`, () => {
    expect(tried.length).toBeGreaterThanOrEqual(LEAST)
    expect(report.rows.find((row) => row.kind === 'prefix')?.tried).toBe(report.entries + 1)
    for (const { stuck, damagedSelectors, verified, tried: all } of report.rows)
      expect({ stuck, damagedSelectors, verified }).toEqual({ stuck: 0, damagedSelectors: 0, verified: all })
    for (const slot of ['a', 'b'] as const) expect(report.rows.some((row) => row[slot] > 0)).toBe(true)
  })

  it('btrfs check accepts the data after a sample of the cuts', () => {
    const problems = problemsAt(recording, kind, spread(tried, DATA_SAMPLES), (disk, change, cut) => {
      const { slot, probe } = sideAt(cut, change)
      return external.ofData(part(disk, 'data'), slot, probe)
    })
    expect(problems).toEqual([])
  })

  it('veritysetup accepts the slots after a sample of the cuts', () => {
    const problems = problemsAt(recording, kind, spread(tried, SLOT_SAMPLES), (disk, _change, _cut, { runs }) => {
      if (runs === undefined) return 'no slot runs'
      const size = runs.blocks * BLOCK + treeSize(runs.blocks)
      return external.ofSlot(slice(part(disk, `slot-${runs.slot}`), 0, size), runs)
    })
    expect(problems).toEqual([])
  })
})

describe('restarts of the committed slot', () => {
  it('boot the same slot with its data after a power cut at any write, also at a write of the count of starts', () => {
    const [steps, report] = withChange(recording, 'restart', (base, log, change) => [
      agentSteps(log, change.range).map(({ name }) => name),
      sweep({ base, log, options: THOROUGH, range: change.range, expected: expecting(change) }),
    ])
    process.stdout.write(`\nrestarts of the committed slot: ${steps.join(', ')}\n${formatReport(report)}\n`)
    expect(report.failures).toEqual([])
    // Two starts began, and nothing but the record was written: the last start ended healthy.
    expect(steps.filter((name) => name === 'record: a start begins').length).toBeGreaterThanOrEqual(2)
    expect(steps.every((name) => name.startsWith('record: '))).toBe(true)
    expect(steps.at(-1)).toBe('record: committed')
  })
})

describe('a missing flush of the agent', () => {
  it.each(CHANGES)(
    'the sweep detects a missing flush of the agent in %s, alone or together with the flushes after it',
    (title, kind) => {
      const rows = withChange(recording, kind, (base, log, change) => controls({ base, log, change }))
      process.stdout.write(`\n${title} without flushes\n${formatControls(rows)}\n`)
      const isExplained = ({ steps: [step = ''], found }: Control) => found > 0 || step in HARMLESS
      expect(rows.filter((row) => !isExplained(row))).toEqual([])
      expect(rows.some(({ found }) => found > 0)).toBe(true)
    },
  )

  it('the sweep detects a missing sync of the data before the commit', () => {
    const problem = withChange(recording, 'update', (base, log, change) => unwrittenData({ base, log, change }))
    process.stdout.write(`\nan update without a sync of the data before its commit: ${problem}\n`)
    expect(problem).toMatch(/^data: /)
  })
})

describe('a machine whose power was cut', () => {
  it.each(SCENARIOS.map((each) => [each.about, each] as const))(
    'a machine whose power was cut %s boots with its services and data',
    async (_, scenario) => {
      const disk = join(directory, 'disk.img')
      const probe = diskAt(scenario, recording, disk)
      const vm = await bootHost({ host: adama, disk })
      try {
        await vm.reachable(PATIENCE)
        const { slot, phase } = scenario
        expect(await agentStatus(vm)).toMatchObject({ slot, state: 'committed', committed: slot, update: { phase } })
        await healthy(vm, PATIENCE)
        expect(await vm.shell(`cat /run/hangar/data/${PROBE.service}/probe`)).toBe(probe)
      } finally {
        await vm.powerCut()
      }
    },
  )
})
