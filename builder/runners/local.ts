import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  type Derivation,
  dependencies,
  derivationDigest,
  type Output,
  type Toolchain,
  toolchainDigest,
} from '../../images/derivation.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { allEnded, limiter, stopWith } from '../../lib/worker-pool.ts'
import type { Store } from '../store/store.ts'
import { type Fetch, toolchainDirectory } from '../toolchain/toolchain.ts'
import { derivationFailed, logFile } from './failure.ts'
import { layInputs } from './lay-inputs.ts'
import { missingDerivations, missingPackages } from './missing.ts'
import { once } from './once.ts'
import { adoptOutput, readOutput } from './outputs.ts'
import type { Runner } from './runner.ts'
import { checkSandbox, runSandboxed } from './sandbox.ts'

export interface LocalRunnerOptions {
  readonly store: Store
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs derivations in sandboxes on this machine, as many at the same time as there are cores. The first failure stops the
 * others. `realise` settles when nothing runs any more.
 */
export function localRunner(options: LocalRunnerOptions): Runner {
  const { store } = options
  return {
    async realise(wanted, reporter) {
      const stop = stopWith(options.signal)
      const run = { ...options, reporter, stop, slots: limiter(availableParallelism()) }
      // Fetches all files at once, which is faster than many small fetches: mirrors are slow to answer and fast to
      // send.
      await options.fetch(missingPackages(missingDerivations(wanted, store), store))
      const realise = realiser(
        run,
        once(toolchainDigest, (toolchain) => makeToolchain(toolchain, run)),
      )
      const outputs = wanted.map(async (each) => [derivationDigest(each), await realise(each)] as const)
      return new Map(await allEnded(outputs, stop))
    },
  }
}

interface Run extends LocalRunnerOptions {
  readonly reporter: Reporter
  /** The first failure aborts it. */
  readonly stop: AbortController
  readonly slots: ReturnType<typeof limiter>
}

/** Realises derivations, dependencies first. Runs each derivation once, and settles after its dependencies. */
function realiser(run: Run, toolchainOf: (toolchain: Toolchain) => Promise<string>) {
  const { store, reporter, stop, slots } = run
  const realise: (derivation: Derivation) => Promise<Output> = once(derivationDigest, async (derivation) => {
    const found = store.output(derivationDigest(derivation))
    if (found !== undefined) {
      reporter.step(derivation.name).done('reused')
      return found
    }
    const toolchain = await toolchainOf(derivation.toolchain)
    await allEnded(dependencies(derivation).map(realise), stop)
    return slots(() => execute(derivation, toolchain, run))
  })
  return realise
}

async function makeToolchain(toolchain: Toolchain, { store, fetch, reporter, stop }: Run): Promise<string> {
  await store.scratch('probe', (directory) => checkSandbox(directory))
  return toolchainDirectory(toolchain, store, (files) => fetch(files, stop.signal), reporter)
}

async function execute(derivation: Derivation, toolchain: string, { store, reporter, stop }: Run): Promise<Output> {
  stop.signal.throwIfAborted()
  const step = reporter.step(derivation.name)
  try {
    const output = await runInScratch(derivation, toolchain, store, stop.signal)
    await store.record(derivationDigest(derivation), output)
    step.done('built')
    return output
  } catch (error) {
    // A step that another failure or the user has stopped has not failed.
    if (!stop.signal.aborted) step.failed()
    stop.abort(error)
    throw error
  }
}

async function runInScratch(derivation: Derivation, toolchain: string, store: Store, signal: AbortSignal) {
  const log = await logFile(derivation, store)
  return store.scratch(derivation.name.replaceAll('/', '-'), async (scratch) => {
    const place = { inputs: join(scratch, 'in'), output: join(scratch, 'out'), work: join(scratch, 'work') }
    for (const directory of Object.values(place)) await mkdir(directory)
    await layInputs(derivation, place.inputs, store)
    const { command, env, privilege } = derivation
    const { exitCode } = await runSandboxed({ ...place, toolchain, command, env, privilege, log, signal })
    if (exitCode !== 0) throw await derivationFailed(derivation, { status: exitCode, log, place: 'sandbox' }, store)
    const output = await readOutput(place.output)
    await adoptOutput(place.output, output, store)
    return output
  })
}
