import type { Runner } from '../../builder/runners/runner.ts'
import { timeSteps } from '../../builder/step-times.ts'
import type { Derivation } from '../../images/derivation.ts'
import type { Reporter } from '../../lib/reporter.ts'
import type { RootKit } from '../helpers/root-kit.ts'
import { emulatedRoot, unprunedRoot } from '../oracle/recipe.ts'
import { type Calibration, calibrate, calibrationLine } from './calibration.ts'

export interface ForeignRootTimes {
  readonly calibration: Calibration
  /** Seconds: mmdebstrap with the target's scripts under emulation. */
  readonly emulated: number
  /** Median of three runs in seconds: unpacking both architectures, scripts, carrying and checks. */
  readonly native: number
  /** Seconds of each native run: two before the emulated run and one after it. */
  readonly runs: readonly number[]
  readonly ratio: number
}

/**
 * Times both ways to make the same root. Both use packages in the store, work in memory with dpkg's `force-unsafe-io`, and
 * make no file system. Prints the times for programs and for people.
 */
export async function benchForeignRoot(
  runner: Runner,
  reporter: Reporter,
  kit: Omit<RootKit, 'context'>,
): Promise<ForeignRootTimes> {
  const { layerContext, oracle, packages, accounts } = kit
  const calibration = calibrate()
  const time = (derivation: Derivation) => timeRealising(runner, reporter, derivation)
  const timeNative = () => time(unprunedRoot(layerContext, packages, accounts, 'nothing'))
  // Minutes pass between the first and the last run, and other load on the machine may change.
  const before = [await timeNative(), await timeNative()]
  const emulated = await time(emulatedRoot(layerContext, oracle, packages.target, accounts, 'nothing'))
  const runs = [...before, await timeNative()]
  const native = [...runs].sort((a, b) => a - b)[1] ?? Number.NaN
  const times = { calibration, emulated, native, runs, ratio: emulated / native }
  process.stdout.write(`${JSON.stringify(times)}\n${foreignRootText(times)}\n`)
  return times
}

function foreignRootText({ calibration, emulated, native, ratio }: ForeignRootTimes): string {
  const times = `foreign root: emulated ${emulated.toFixed(1)} s, native ${native.toFixed(1)} s, ${ratio.toFixed(1)} times faster`
  return `${times}\n${calibrationLine(calibration)}`
}

/** Seconds that the derivation's command takes. The command runs even if the store has its output. */
async function timeRealising(runner: Runner, reporter: Reporter, derivation: Derivation): Promise<number> {
  const timed = timeSteps(reporter)
  const fresh = { ...derivation, env: { ...derivation.env, NONCE: `${Date.now()}-${process.hrtime.bigint()}` } }
  await runner.realise([fresh], timed.reporter)
  const made = timed.of(derivation.name)
  if (made.kind === 'reused') throw new Error(`'${derivation.name}' came from the store`)
  return made.took / 1000
}
