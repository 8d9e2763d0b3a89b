import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  type Derivation,
  dependencies,
  derivationDigest,
  type Output,
  toolchainDigest,
} from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { limiter } from '../../lib/worker-pool.ts'
import type { Store } from '../store/store.ts'
import { type Fetch, toolchainDirectory } from '../toolchain/toolchain.ts'
import { derivationFailed, logFile } from './failure.ts'
import { layInputs } from './lay-inputs.ts'
import { missingDerivations, missingPackages } from './missing.ts'
import { adoptOutput, readOutput } from './outputs.ts'
import type { Runner } from './runner.ts'
import { checkSandbox, runSandboxed } from './sandbox.ts'

export interface LocalRunnerOptions {
  readonly store: Store
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
}

/** Runs derivations in sandboxes on this machine, as many at the same time as there are cores. */
export function localRunner(options: LocalRunnerOptions): Runner {
  const { store } = options
  return {
    async realise(wanted, reporter) {
      const slots = limiter(availableParallelism())
      const running = new Map<Digest, Promise<Output>>()
      const realise = (derivation: Derivation): Promise<Output> => {
        const digest = derivationDigest(derivation)
        const known = running.get(digest)
        if (known !== undefined) return known
        const promise = realiseOne(derivation)
        running.set(digest, promise)
        return promise
      }
      const realiseOne = async (derivation: Derivation): Promise<Output> => {
        const found = store.output(derivationDigest(derivation))
        if (found !== undefined) {
          reporter.step(derivation.name).done('reused')
          return found
        }
        const toolchain = await toolchainOnce(derivation)
        await Promise.all(dependencies(derivation).map(realise))
        return slots(() => execute(derivation, toolchain, options, reporter))
      }
      const toolchains = new Map<Digest, Promise<string>>()
      const toolchainOnce = ({ toolchain }: Derivation): Promise<string> => {
        const digest = toolchainDigest(toolchain)
        const made = toolchains.get(digest) ?? makeToolchain(toolchain, options, reporter)
        toolchains.set(digest, made)
        return made
      }
      // Fetches all files at once, which is faster than many small fetches: mirrors are slow to answer and fast to
      // send.
      await options.fetch(missingPackages(missingDerivations(wanted, store), store))
      const outputs = await Promise.all(
        wanted.map(async (each) => [derivationDigest(each), await realise(each)] as const),
      )
      return new Map(outputs)
    },
  }
}

async function makeToolchain(
  toolchain: Derivation['toolchain'],
  options: LocalRunnerOptions,
  reporter: Reporter,
): Promise<string> {
  await options.store.scratch('probe', (directory) => checkSandbox(directory))
  return toolchainDirectory(toolchain, options.store, options.fetch, reporter)
}

async function execute(
  derivation: Derivation,
  toolchain: string,
  { store, signal }: LocalRunnerOptions,
  reporter: Reporter,
): Promise<Output> {
  const step = reporter.step(derivation.name)
  const log = await logFile(derivation, store)
  try {
    const output = await store.scratch(derivation.name.replaceAll('/', '-'), async (scratch) => {
      const place = { inputs: join(scratch, 'in'), output: join(scratch, 'out'), work: join(scratch, 'work') }
      for (const directory of Object.values(place)) await mkdir(directory)
      await layInputs(derivation, place.inputs, store)
      const { command, env, privilege } = derivation
      const finished = await runSandboxed({ ...place, toolchain, command, env, privilege, log, signal })
      if (finished.exitCode !== 0) throw await derivationFailed(derivation, finished.exitCode, log)
      const left = await readOutput(place.output)
      await adoptOutput(place.output, left, store)
      return left
    })
    await store.record(derivationDigest(derivation), output)
    step.done('built')
    return output
  } catch (error) {
    step.failed()
    throw error
  }
}
