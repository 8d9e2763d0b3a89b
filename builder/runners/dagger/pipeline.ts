import { writeFile } from 'node:fs/promises'
import { type Derivation, dependencies, derivationDigest, type Output } from '../../../images/derivation.ts'
import type { Digest } from '../../../images/digest.ts'
import type { Reporter, Step } from '../../../lib/reporter.ts'
import type { Store } from '../../store/store.ts'
import { DerivationFailed, derivationFailed, logFile } from '../failure.ts'
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
}

/**
 * Runs the missing derivations, dependencies first, and adds the outputs of the wanted derivations to the store. The
 * engine could order the commands itself, but would not report the start and the end of each command.
 */
export async function runPipeline(
  missing: readonly Derivation[],
  wanted: readonly Derivation[],
  options: PipelineOptions,
): Promise<Map<Digest, Output>> {
  const { place, store, reporter } = options
  const isWanted = new Set(wanted.map(derivationDigest))
  const fail = firstFailure()
  const outputs = new Map<Digest, Output>()
  const run = async (derivation: Derivation, ready: Promise<EngineCommand>) => {
    const ran = await ready
    const step = reporter.step(derivation.name)
    const digest = derivationDigest(derivation)
    try {
      const sums = await execute(derivation, ran, options)
      if (isWanted.has(digest)) outputs.set(digest, await fetchOutput(derivation, ran, sums, store))
      step.done('built')
    } catch (error) {
      fail(step, error)
      throw error
    }
  }
  const placed = missing.map((derivation) => ({ derivation, ran: place(derivation) }))
  const sending = reporter.step('send inputs to the Dagger engine')
  const sent = countSent(sending, Promise.all(placed.map(({ ran }) => ran))).catch((error) => fail(sending, error))
  const ended = new Map<Digest, Promise<void>>()
  for (const { derivation, ran } of placed) {
    const needed = dependencies(derivation).map((each) => ended.get(derivationDigest(each)))
    const ready = Promise.all([ran, ...needed]).then(() => ran)
    ended.set(derivationDigest(derivation), run(derivation, ready))
  }
  await Promise.all([...ended.values(), sent])
  return outputs
}

/** Marks only the step that failed: the end of the session also stops every other command. */
function firstFailure(): (step: Step, error: unknown) => void {
  let isOver = false
  return (step, error) => {
    if (!isOver || error instanceof DerivationFailed) step.failed()
    isOver = true
  }
}

/**
 * Waits for the command of a derivation, and returns its stderr. The log grows while the command runs, and is complete
 * afterwards.
 */
async function execute(derivation: Derivation, ran: EngineCommand, { store, logs }: PipelineOptions): Promise<string> {
  const digest = derivationDigest(derivation)
  const log = await logFile(derivation, store)
  const end = async (text: string) => {
    logs.close(digest)
    await writeFile(log, text)
  }
  logs.open(digest, log)
  try {
    const { stdout, stderr } = await ran.output()
    await end(stdout)
    return stderr
  } catch (error) {
    if (!(error instanceof ExecFailed)) throw error
    // This error means that the command that copies the inputs failed.
    if (!error.command.includes(digest)) throw engineFailed(`the Dagger engine failed: ${error.message}`, error)
    await end(await completeLog(log, error.output))
    throw await derivationFailed(derivation, error.exitCode, log)
  }
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
