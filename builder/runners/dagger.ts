import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Derivation, derivationDigest, type Output, toolchainDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../reporter.ts'
import type { Store } from '../store/store.ts'
import type { Fetch } from '../toolchain.ts'
import { toolchainImage } from '../toolchain-image.ts'
import type { Ran } from './dagger/engine.ts'
import { ExecFailed, engineFailed } from './dagger/engine-failure.ts'
import { engineGraph } from './dagger/graph.ts'
import { withEngine } from './dagger/session.ts'
import { requireSums } from './dagger/sums.ts'
import { derivationFailed, logFile } from './failure.ts'
import { missingDerivations, missingPackages } from './missing.ts'
import { adoptOutput, readOutput } from './outputs.ts'
import type { Runner } from './runner.ts'

export interface DaggerRunnerOptions {
  readonly store: Store
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
}

/** Runs derivations as one pipeline of a Dagger engine. Where the store has all that is wanted, none is looked for. */
export function daggerRunner(options: DaggerRunnerOptions): Runner {
  const { store, fetch, signal } = options
  return {
    async realise(wanted, reporter) {
      const outputs = reuse(wanted, store, reporter)
      const missing = missingDerivations(wanted, store)
      if (missing.length === 0) return outputs
      await fetch(missingPackages(missing, store))
      const images = await toolchainImages(missing, options, reporter)
      const connecting = reporter.step('connect to the Dagger engine')
      const session = { log: join(store.root, 'logs/dagger.log'), signal, connecting }
      await withEngine(session, async (engine) => {
        const place = engineGraph({ engine, store, images })
        const realiseOne = async (derivation: Derivation) => {
          const output = await realised(derivation, await place(derivation), { missing, store, reporter })
          outputs.set(derivationDigest(derivation), output)
        }
        await Promise.all(wantedAmong(missing, wanted).map(realiseOne))
      })
      return outputs
    },
  }
}

function reuse(wanted: readonly Derivation[], store: Store, reporter: Reporter): Map<Digest, Output> {
  const found = new Map<Digest, Output>()
  for (const derivation of wanted) {
    const output = store.output(derivationDigest(derivation))
    if (output === undefined) continue
    found.set(derivationDigest(derivation), output)
    reporter.step(derivation.name).done('reused')
  }
  return found
}

function wantedAmong(missing: readonly Derivation[], wanted: readonly Derivation[]): Derivation[] {
  const digests = new Set(wanted.map(derivationDigest))
  return missing.filter((each) => digests.has(derivationDigest(each)))
}

async function toolchainImages(
  derivations: readonly Derivation[],
  { store, fetch }: DaggerRunnerOptions,
  reporter: Reporter,
): Promise<Map<Digest, string>> {
  const toolchains = new Map(derivations.map(({ toolchain }) => [toolchainDigest(toolchain), toolchain]))
  const images = new Map<Digest, string>()
  for (const [digest, toolchain] of toolchains) {
    images.set(digest, await toolchainImage(toolchain, store, fetch, reporter))
  }
  return images
}

interface Realising {
  /** Those that may fail: what runs in the engine is named by its digest. */
  readonly missing: readonly Derivation[]
  readonly store: Store
  readonly reporter: Reporter
}

async function realised(derivation: Derivation, ran: Ran, { missing, store, reporter }: Realising): Promise<Output> {
  const step = reporter.step(derivation.name)
  try {
    const output = await save(derivation, ran, store)
    await store.record(derivationDigest(derivation), output)
    step.done('built')
    return output
  } catch (error) {
    step.failed()
    throw await namingDerivation(error, missing, store)
  }
}

function save(derivation: Derivation, ran: Ran, store: Store): Promise<Output> {
  const { name } = derivation
  return store.scratch(name.replaceAll('/', '-'), async (scratch) => {
    const { stdout, stderr } = await ran.save('/out', scratch)
    await writeFile(await logFile(derivation, store), stdout)
    await requireSums(name, scratch, stderr)
    const output = await readOutput(scratch)
    await adoptOutput(scratch, output, store)
    return output
  })
}

/** As the local runner says it: by the derivation that failed, which may be one that the one asked for depends on. */
async function namingDerivation(error: unknown, missing: readonly Derivation[], store: Store): Promise<unknown> {
  if (!(error instanceof ExecFailed)) return error
  const failed = missing.find((each) => error.command.includes(derivationDigest(each)))
  if (failed === undefined) return engineFailed(`the Dagger engine failed: ${error.message}`, error)
  const log = await logFile(failed, store)
  await writeFile(log, `${error.output}\n`)
  return derivationFailed(failed, error.exitCode, log)
}
