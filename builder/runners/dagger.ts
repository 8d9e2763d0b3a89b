import { join } from 'node:path'
import { type Derivation, derivationDigest, type Output, toolchainDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'
import type { Store } from '../store/store.ts'
import { toolchainImage } from '../toolchain/image.ts'
import type { Fetch } from '../toolchain/toolchain.ts'
import { noteSent } from './dagger/engine-files.ts'
import { engineGraph } from './dagger/graph.ts'
import { liveLogs } from './dagger/live-logs.ts'
import { runPipeline } from './dagger/pipeline.ts'
import { withEngine } from './dagger/session.ts'
import { missingDerivations, missingPackages } from './missing.ts'
import type { Runner } from './runner.ts'

export interface DaggerRunnerOptions {
  readonly store: Store
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs derivations as one pipeline of a Dagger engine. It connects to the engine only when the store lacks an output, and
 * before it fetches anything.
 */
export function daggerRunner(options: DaggerRunnerOptions): Runner {
  const { store, fetch, signal } = options
  return {
    async realise(wanted, reporter) {
      const outputs = reuse(wanted, store, reporter)
      const missing = missingDerivations(wanted, store)
      if (missing.length === 0) return outputs
      const connecting = reporter.step('connect to the Dagger engine')
      const logs = liveLogs(missing.map(derivationDigest))
      const session = { log: join(store.root, 'logs/dagger.log'), onOutput: logs.onOutput, signal, connecting }
      const made = await withEngine(session, async (engine, stop) => {
        const fetchUntil: Fetch = (files) => fetch(files, stop.signal)
        await fetchUntil(missingPackages(missing, store))
        const images = await toolchainImages(missing, { store, fetch: fetchUntil }, reporter)
        stop.signal.throwIfAborted()
        const given = new Set<string>()
        const place = engineGraph({ engine, store, images, given })
        const ran = await runPipeline(missing, wanted, { place, store, logs, reporter, stop, sent: engine.sent })
        noteSent({ root: store.root, engine: engine.name, given, sent: ran.sent }, reporter)
        return ran.outputs
      })
      return new Map([...outputs, ...made])
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
