import { writeFile } from 'node:fs/promises'
import { type Derivation, dependencies, derivationDigest, type Output } from '../../../images/derivation.ts'
import type { Digest } from '../../../images/digest.ts'
import type { Reporter, Step } from '../../../lib/reporter.ts'
import type { Store } from '../../store/store.ts'
import { derivationFailed, logFile } from '../failure.ts'
import { adoptOutput, readOutput } from '../outputs.ts'
import type { EngineCommand } from './engine.ts'
import { ExecFailed, engineFailed } from './engine-failure.ts'
import { completeLog, type LiveLogs } from './live-logs.ts'
import { countSent } from './sent.ts'
import { requireSums } from './sums.ts'

export interface PipelineOptions {
  /**
   * Describes a derivation to the engine, and waits until the engine has the inputs. The engine does not run the
   * command yet.
   */
  readonly place: (derivation: Derivation) => Promise<EngineCommand>
  readonly store: Store
  readonly logs: LiveLogs
  readonly reporter: Reporter
  /** Ends all queries. The first failure aborts it, so that the engine stops the other commands. */
  readonly stop: AbortController
  /** The number of bytes that the engine has received so far. */
  readonly sent: () => number
}

export interface Ran {
  readonly outputs: Map<Digest, Output>
  /** The bytes that went to the engine before it had all inputs. */
  readonly sent: number
}

/**
 * Runs the missing derivations, dependencies first, and adds the outputs of the wanted derivations to the store. The
 * engine could order the commands itself, but would not report the start and the end of each command. Settles when no
 * work runs any more; rejects with the first failure.
 */
export async function runPipeline(
  missing: readonly Derivation[],
  wanted: readonly Derivation[],
  options: PipelineOptions,
): Promise<Ran> {
  const { place, store, reporter, stop } = options
  const isWanted = new Set(wanted.map(derivationDigest))
  const failures = firstFailure(stop)
  const outputs = new Map<Digest, Output>()
  const run = async (derivation: Derivation, ready: Promise<EngineCommand>) => {
    const ran = await ready
    stop.signal.throwIfAborted()
    const step = reporter.step(derivation.name)
    const digest = derivationDigest(derivation)
    try {
      const sums = await execute(derivation, ran, options)
      if (isWanted.has(digest)) outputs.set(digest, await fetchOutput(derivation, ran, sums, store))
      step.done('built')
    } catch (error) {
      await failures.add(step, error, () => described(derivation, error, options))
    }
  }
  const placed = missing.map((derivation) => ({ derivation, ran: place(derivation) }))
  const sending = reporter.step('send inputs to the Dagger engine')
  const arrived = Promise.all(placed.map(({ ran }) => ran))
  const sent = countSent(sending, arrived, options.sent).catch((error) => failures.add(sending, error))
  const ended = new Map<Digest, Promise<void>>()
  for (const { derivation, ran } of placed) {
    const needed = dependencies(derivation).map((each) => ended.get(derivationDigest(each)))
    const ready = Promise.all([ran, ...needed]).then(() => ran)
    ended.set(derivationDigest(derivation), run(derivation, ready))
  }
  await Promise.allSettled([...ended.values(), ...placed.map(({ ran }) => ran), sent])
  failures.rethrow()
  return { outputs, sent: (await sent) ?? 0 }
}

interface Failures {
  /** Ends the step as failed if it is the first that fails. The other commands stop before `describe` runs. */
  readonly add: (step: Step, error: unknown, describe?: () => Promise<unknown>) => Promise<never>
  readonly rethrow: () => void
}

/** Keeps only the first failure: it stops every other command, and their failures tell nothing. */
function firstFailure(stop: AbortController): Failures {
  let first: { error: unknown } | undefined
  return {
    async add(step, error, describe = async () => error) {
      if (first === undefined && !stop.signal.aborted) {
        first = { error }
        stop.abort(error)
        step.failed()
        first.error = await describe()
      }
      throw error
    },
    rethrow() {
      if (first !== undefined) throw first.error
      stop.signal.throwIfAborted()
    },
  }
}

/**
 * Waits for the command of a derivation, and returns its stderr. The log grows while the command runs, and is complete
 * afterwards.
 */
async function execute(derivation: Derivation, ran: EngineCommand, { store, logs }: PipelineOptions): Promise<string> {
  const digest = derivationDigest(derivation)
  const log = await logFile(derivation, store)
  logs.open(digest, log)
  const { stdout, stderr } = await ran.output()
  logs.close(digest)
  await writeFile(log, stdout)
  return stderr
}

/** The error for the user. The log of a failed command is complete afterwards. */
async function described(derivation: Derivation, error: unknown, { store, logs }: PipelineOptions): Promise<unknown> {
  if (!(error instanceof ExecFailed)) return error
  const digest = derivationDigest(derivation)
  // This error means that the command that copies the inputs failed.
  if (!error.command.includes(digest)) return engineFailed(`the Dagger engine failed: ${error.message}`, error)
  const log = await logFile(derivation, store)
  const text = await completeLog(log, error.output)
  logs.close(digest)
  await writeFile(log, text)
  return derivationFailed(derivation, { status: error.exitCode, log, place: 'engine' }, store)
}

function fetchOutput(derivation: Derivation, ran: EngineCommand, sums: string, store: Store): Promise<Output> {
  return store.scratch(derivation.name.replaceAll('/', '-'), async (scratch) => {
    await ran.save('/out', scratch)
    await requireSums(derivation.name, scratch, sums)
    const output = await readOutput(scratch)
    await adoptOutput(scratch, output, store)
    await store.record(derivationDigest(derivation), output)
    return output
  })
}
