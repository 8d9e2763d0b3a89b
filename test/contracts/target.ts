import { describe, expect, it } from 'vitest'
import { UserError } from '../../errors.ts'
import type { Clock } from '../../flash/clock.ts'
import type { Goal } from '../../flash/goal.ts'
import { revert } from '../../flash/revert.ts'
import type { Run, Target, TargetDriver } from '../../flash/targets/target.ts'
import { update } from '../../flash/update.ts'
import type { Progress } from '../../lib/reporter.ts'
import { NO_IDENTITY, UPDATE } from '../helpers/update-bench.ts'

/** A host of one platform that runs an older image. */
export interface TargetUnderTest {
  readonly driver: TargetDriver
  readonly target: Target
  readonly clock: Clock
  readonly progress: Progress
  /** The output directory with a newer image of the host. */
  readonly directory: string
  /** The root hash of the newer image. */
  readonly root: string
  /** The state of the host that a plan must not change. */
  state(): unknown
  /** Makes every later trial fail. */
  failTrials(): void
}

/** The behaviour of every target. */
export function describeTarget(name: string, make: () => Promise<TargetUnderTest>): void {
  const withPlan = <T>(
    { driver, target, directory }: TargetUnderTest,
    goal: Partial<Goal>,
    use: (planned: Run) => Promise<T>,
  ) =>
    driver.withArtifact(target.host, directory, async (artifact) => {
      const request = { kind: 'update', artifact, goal: { ...UPDATE, ...goal }, identity: NO_IDENTITY } as const
      return use(await target.plan(await target.status(), request))
    })
  const flash = (given: TargetUnderTest, goal: Partial<Goal> = {}) =>
    given.driver.withArtifact(given.target.host, given.directory, (artifact) =>
      update({ ...given, artifact, goal: { ...UPDATE, ...goal }, identity: NO_IDENTITY }),
    )

  describe(`a ${name} target`, () => {
    it('reports the status of its host', async () => {
      const { target } = await make()
      expect(await target.status()).toMatchObject({ host: target.host, state: 'committed' })
    })

    it('refuses an image of another host', async () => {
      const { driver, directory } = await make()
      await expect(driver.withArtifact('other', directory, async () => 'opened')).rejects.toBeInstanceOf(UserError)
    })

    it('a plan changes nothing on the host, and the next plan has the same steps', async () => {
      const given = await make()
      const before = given.state()
      const [first, second] = [await withPlan(given, {}, async (run) => run), await withPlan(given, {}, async (r) => r)]
      expect(second.steps).toEqual(first.steps)
      expect(first).toMatchObject({ ending: 'updated', root: given.root, sent: 0, downtime: undefined })
      expect(given.state()).toEqual(before)
    })

    it('describes each step, and marks the one step that stops services', async () => {
      const given = await make()
      const described = await withPlan(given, {}, async ({ steps }) => steps.map(given.target.describe))
      expect(described.every((step) => step.name !== '' && step.atMost >= 0)).toBe(true)
      expect(described.filter(({ services }) => services === 'stop')).toHaveLength(1)
      expect(described.reduce((sum, { atMost }) => sum + atMost, 0)).toBeGreaterThan(0)
    })

    it('performs a step without changing the run object that it received', async () => {
      const given = await make()
      await withPlan(given, {}, async (planned) => {
        const seen = new Set<Run>()
        for (let run = planned; run.steps.length > 0; run = await given.target.perform(frozen(run))) {
          expect(seen).not.toContain(run)
          seen.add(run)
        }
        expect(seen.size).toBeGreaterThan(1)
      })
    })

    it('runs the image after an update, and then plans no steps', async () => {
      const given = await make()
      const updated = await flash(given)
      expect(updated).toMatchObject({ kind: 'updated', root: given.root, downtime: expect.any(Number) })
      expect(await given.target.status()).toMatchObject({ root: given.root, state: 'committed' })
      expect(await flash(given)).toMatchObject({ kind: 'nothing', root: given.root })
    })

    it('a staged update keeps the running image, and the next update continues', async () => {
      const given = await make()
      const { root, bootId } = await given.target.status()
      expect((await flash(given, { kind: 'stage' })).kind).toBe('staged')
      expect(await given.target.status()).toMatchObject({ root, bootId })
      expect(await flash(given)).toMatchObject({ kind: 'updated', root: given.root })
    })

    it('returns to the former image after a failed trial, and the error has a hint', async () => {
      const given = await make()
      const { root } = await given.target.status()
      given.failTrials()
      const error = await flash(given).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ name: 'UserError', hint: expect.any(String) })
      expect(await given.target.status()).toMatchObject({ root, state: 'committed' })
    })

    it('refuses to revert a host that was never updated', async () => {
      const given = await make()
      const before = given.state()
      await expect(revert({ ...given, data: 'carried' })).rejects.toMatchObject({ name: 'UserError' })
      expect(given.state()).toEqual(before)
    })

    it('reverts an update, and reverts that revert', async () => {
      const given = await make()
      const { root } = await given.target.status()
      await flash(given)
      expect(await revert({ ...given, data: 'carried' })).toMatchObject({ kind: 'reverted', root })
      expect(await given.target.status()).toMatchObject({ root, state: 'committed' })
      expect(await revert({ ...given, data: 'carried' })).toMatchObject({ kind: 'reverted', root: given.root })
    })
  })
}

/** A run object that throws if a step changes it. */
function frozen(run: Run): Run {
  for (const value of [run, run.steps, ...run.steps]) Object.freeze(value)
  return run
}
