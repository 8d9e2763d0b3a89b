import { expect, it } from 'vitest'
import { describeOnShells } from '../../../helpers/fake-device.ts'
import { OUTCOMES, type Outcome, runStarts, type Started } from '../../../helpers/starts-world.ts'
import { type Random, randomFrom } from '../../../power-cut/random.ts'

const SEQUENCES = 40
const STARTS = 16
/** Outcomes that the owner causes, or in which nothing fails. */
const BENIGN: readonly Outcome[] = ['healthy', 'unplugged', 'power-cut', 'reboot']
const FAILING: readonly Outcome[] = ['panic', 'unhealthy', 'stuck']
/** Without slots that cannot start at all, which boot the other slot at once. */
const COUNTED = OUTCOMES.filter((each) => each !== 'broken')
const HEALTHY: readonly Outcome[] = ['healthy', 'unplugged']

function sequences(seed: number, from: readonly Outcome[], count = SEQUENCES): Outcome[][] {
  const pick = (random: Random) => from[Math.floor(random() * from.length)] as Outcome
  return Array.from({ length: count }, (_, place) => {
    const random = randomFrom(seed, place)
    return Array.from({ length: STARTS }, () => pick(random))
  })
}

const repeated = (...outcomes: Outcome[]): Outcome[] =>
  Array.from({ length: STARTS }, (_, at) => outcomes[at % outcomes.length] as Outcome)

/** Whether a start of the committed slot failed by itself, as far as the firmware can tell. */
const failed = ({ kind, outcome }: Started) => kind === 'start' && FAILING.includes(outcome)
const isHealthy = ({ kind, outcome }: Started) => kind === 'start' && HEALTHY.includes(outcome)
const trials = (run: readonly Started[]) => run.filter(({ kind }) => kind === 'trial').length

/** The first armed trial that fewer than three failed starts of the committed slot in a row preceded. */
function early(run: readonly Started[]): Started | undefined {
  let failures = 0
  return run.find((start, at) => {
    if (isHealthy(start) || start.committed !== run[at - 1]?.committed) failures = 0
    if (failed(start)) failures += 1
    return start.kind === 'armed' && failures < 3
  })
}

/** The largest number of trials without a healthy start or a commit between them. */
function longestRow(run: readonly Started[]): number {
  let [most, row] = [0, 0]
  for (const [at, start] of run.entries()) {
    if (isHealthy(start) || (at > 0 && start.committed !== run[at - 1]?.committed)) row = 0
    if (start.kind === 'trial') row += 1
    most = Math.max(most, row)
  }
  return most
}

const withoutEvidence = (text: string) =>
  text.replace(/^was_reset\(\) \{.*$/m, 'was_reset() { [ "$BEGUN" != ended ]; }')
const withoutStay = (text: string) => text.replace('|| [ -n "$stays" ] || decide_next', '|| decide_next')

describeOnShells('the starts of a committed slot', (shell) => {
  it('power cuts, reboots and healthy starts never start a trial, in any order', async () => {
    const given = [...sequences(1, BENIGN), repeated('power-cut'), repeated('reboot'), repeated('power-cut', 'reboot')]
    expect((await runStarts(shell, given)).filter((run) => trials(run) > 0)).toEqual([])
    // Negative control: if every start that did not end counts as failed, an owner who pulls the plug gets old software.
    const weak = await runStarts(shell, given, withoutEvidence)
    expect(weak.some((run) => trials(run) > 0)).toBe(true)
  })

  it('a trial starts only after three failed starts in a row, and no healthy start lies between them', async () => {
    const runs = await runStarts(shell, sequences(2, COUNTED))
    expect(runs.map(early).filter(Boolean)).toEqual([])
    expect(runs.some((run) => trials(run) > 0)).toBe(true)
  })

  it('never alternates without end: three trials at most until a start is healthy, and one change of slots', async () => {
    const given = [...sequences(3, OUTCOMES), ...sequences(4, [...FAILING, 'power-cut']), repeated('panic')]
    const runs = await runStarts(shell, given)
    expect(Math.max(...runs.map(longestRow))).toBeLessThanOrEqual(3)
    const changes = (run: readonly Started[]) =>
      run.filter(({ committed }, at) => committed !== (run[at - 1]?.committed ?? 'a')).length
    const counted = await runStarts(shell, sequences(5, COUNTED))
    expect(Math.max(...counted.map(changes))).toBe(1)
    // Negative control: without the decision to stay, two slots that always fail alternate.
    const weak = await runStarts(shell, [repeated('panic')], withoutStay)
    expect(trials(weak[0] ?? [])).toBeGreaterThan(2)
  })

  it('stays on the committed slot if both slots panic at every start', async () => {
    const [run = []] = await runStarts(shell, [repeated('panic')])
    expect(run.slice(0, 7).map(({ slot, kind }) => `${slot} ${kind}`)).toEqual([
      ...['a start', 'a start', 'a start', 'a armed', 'b trial', 'a start', 'a start'],
    ])
    expect(run.slice(5).every(({ slot, kind, stays }) => slot === 'a' && kind === 'start' && stays)).toBe(true)
  })

  it('stays on the slot whose SSH server runs if the other one does not get that far', async () => {
    const [run = []] = await runStarts(shell, [['panic', 'panic', 'panic', 'panic', 'unhealthy', ...repeated('panic')]])
    expect(run[4]).toMatchObject({ slot: 'b', kind: 'trial', committed: 'b', stays: true })
    expect(run.slice(5).every(({ slot, kind, stays }) => slot === 'b' && kind === 'start' && stays)).toBe(true)
    // The SSH server of slot a also ran: then a stays.
    const unhealthy = await runStarts(shell, [['unhealthy', 'unhealthy', 'panic', 'panic', 'unhealthy', 'panic']])
    expect(unhealthy[0]?.slice(4).map(({ committed }) => committed)).toEqual(['a', 'a'])
  })

  it('moves to the other slot if it is healthy, and does not come back by itself', async () => {
    const [run = []] = await runStarts(shell, [['panic', 'stuck', 'panic', 'panic', 'healthy', ...repeated('panic')]])
    expect(run.slice(0, 5).map(({ slot, kind }) => `${slot} ${kind}`)).toEqual([
      ...['a start', 'a start', 'a start', 'a armed', 'b trial'],
    ])
    expect(run.slice(4).map(({ committed }) => committed)).toEqual(run.slice(4).map(() => 'b'))
    expect(trials(run.slice(5))).toBe(0)
    expect(run.at(-1)?.stays).toBe(true)
  })

  it('tries the other slot again after a power cut during its trial, three times at most', async () => {
    const cut: Outcome[] = ['panic', 'panic', 'panic', ...repeated('power-cut')]
    const [run = []] = await runStarts(shell, [cut])
    expect([trials(run), run.at(-1)?.stays, run.at(-1)?.committed]).toEqual([3, true, 'a'])
  })

  it('a slot that cannot start at all is left up to three times, and then stays', async () => {
    const [run = []] = await runStarts(shell, [repeated('broken', 'panic')])
    expect([trials(run), run.at(-1)?.committed]).toEqual([3, 'a'])
  })

  it('a healthy start costs two writes of the record, and clears the count', async () => {
    const runs = await runStarts(shell, sequences(6, OUTCOMES))
    const healthy = runs.flat().filter(isHealthy)
    expect(healthy.length).toBeGreaterThan(50)
    expect([...new Set(healthy.map(({ failed: count, stays }) => `${count} ${stays}`))]).toEqual(['0 false'])
    const [quiet = []] = await runStarts(shell, [repeated('healthy')])
    expect([...new Set(quiet.map(({ writes }) => writes))]).toEqual([2])
  })
})
