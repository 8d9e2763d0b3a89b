import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adama } from '../../hosts/adama.ts'
import { BLOCK } from '../../images/layout.ts'
import { treeSize } from '../../images/slot/verity.ts'
import { checkPrograms } from '../helpers/check-programs.ts'
import { agentStatus, healthy } from '../helpers/lab.ts'
import { bootHost } from '../helpers/vm.ts'
import { type Control, controls, formatControls, unwrittenData } from './controls.ts'
import { slice } from './disk-state.ts'
import { expecting, expectingFirstStart, part, sideAt } from './expectation.ts'
import { type ChangeKind, complaintsAt, spread, withChange } from './on-recording.ts'
import { PROBE, type Recording, record } from './recording.ts'
import { formatReport } from './report.ts'
import { diskAt, SCENARIOS } from './scenarios.ts'
import { SecondOpinion } from './second-opinion.ts'
import { type SweepReport, sweep } from './sweep.ts'

/** Seconds for a machine to start. */
const PATIENCE = 1500
/** Cut points that are tried at least. */
const LEAST = 2000
/** No write is left out of any sample. */
const ALL = Number.POSITIVE_INFINITY
const THOROUGH = { drops: ALL, keeps: ALL, torn: ALL, subsets: 320 }
/** Of those, so many are looked at with btrfs, and so many with veritysetup. */
const DATA_SAMPLES = 40
const SLOT_SAMPLES = 10

/** Where nothing is found after one of these, that is because: */
const NEVER_FOUND: Readonly<Record<string, string>> = {
  'first block but its first sector':
    'Linux writes blocks whole: the write of the first sector has the rest of it, too',
  'first sector': 'the record says less than the sector, which is read back before it is armed',
  'record: written': 'a record of one sector is never torn, and it is written beside the one before',
  'record: armed': 'the same; the flag that follows is not on the disk',
  'record: trial': 'the same; the next start tells by the firmware whether it is a trial',
  'identity, first copy': 'the second copy is whole by then',
  'record: committed': 'the next start makes it of "committing" again',
}
const CHANGES: readonly (readonly [title: string, kind: ChangeKind])[] = [
  ['an update', 'update'],
  ['a revert', 'revert'],
]

let recording: Recording
let directory: string
let opinion: SecondOpinion

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangar-sweep-'))
  opinion = new SecondOpinion(await checkPrograms(), directory)
  recording = await record()
})

afterAll(() => {
  recording?.remove()
  rmSync(directory, { recursive: true, force: true })
})

describe('the first start', () => {
  it('can be cut at every write: it ends the same when it is started again', () => {
    const range = { from: 0, to: recording.marks.stageBegins }
    const report = withChange(recording, 'update', (base, log) =>
      sweep({ base, log, range, expected: expectingFirstStart() }),
    )
    process.stdout.write(`\nthe first start\n${formatReport(report)}\n`)
    expect(report.failures).toEqual([])
  })
})

describe.each(CHANGES)('%s', (title, kind) => {
  const tried: string[] = []
  let report: SweepReport

  it('can be cut at every write: the slot that boots is whole, and finds its own data', () => {
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

  it(`is cut at ${LEAST} points or more, every write among them, and a slot that is whole is found at each`, () => {
    expect(tried.length).toBeGreaterThanOrEqual(LEAST)
    expect(report.rows.find((row) => row.kind === 'prefix')?.tried).toBe(report.entries + 1)
    for (const { stuck, damagedSelectors, verified, tried: all } of report.rows)
      expect({ stuck, damagedSelectors, verified }).toEqual({ stuck: 0, damagedSelectors: 0, verified: all })
    for (const slot of ['a', 'b'] as const) expect(report.rows.some((row) => row[slot] > 0)).toBe(true)
  })

  it('leaves data that btrfs finds whole at some of them, too', () => {
    const complaints = complaintsAt(recording, kind, spread(tried, DATA_SAMPLES), (disk, change, cut) => {
      const { slot, probe } = sideAt(cut, change)
      return opinion.ofData(part(disk, 'data'), slot, probe)
    })
    expect(complaints).toEqual([])
  })

  it('leaves slots that veritysetup finds whole at some of them, too', () => {
    const complaints = complaintsAt(recording, kind, spread(tried, SLOT_SAMPLES), (disk, _change, _cut, { runs }) => {
      if (runs === undefined) return 'nothing runs'
      const size = runs.blocks * BLOCK + treeSize(runs.blocks)
      return opinion.ofSlot(slice(part(disk, `slot-${runs.slot}`), 0, size), runs)
    })
    expect(complaints).toEqual([])
  })
})

describe('a flush that the agent leaves out', () => {
  it.each(CHANGES)('is found in %s, alone or with those that cover for it', (title, kind) => {
    const rows = withChange(recording, kind, (base, log, change) => controls({ base, log, change }))
    process.stdout.write(`\n${title} without flushes\n${formatControls(rows)}\n`)
    const isExplained = ({ steps: [step = ''], found }: Control) => found > 0 || step in NEVER_FOUND
    expect(rows.filter((row) => !isExplained(row))).toEqual([])
    expect(rows.some(({ found }) => found > 0)).toBe(true)
  })

  it('is found where it is the one of the data before the commit', () => {
    const problem = withChange(recording, 'update', (base, log, change) => unwrittenData({ base, log, change }))
    process.stdout.write(`\nan update whose data are not written out before its commit: ${problem}\n`)
    expect(problem).toMatch(/^data: /)
  })
})

describe('a machine whose power was cut during an update', () => {
  it.each(SCENARIOS.map((each) => [each.about, each] as const))(
    '%s starts with its services and data',
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
