import { join } from 'node:path'
import { openRepository } from '../../builder/publish/open-repository.ts'
import { publish } from '../../builder/publish/publish.ts'
import { pull } from '../../builder/publish/pull.ts'
import { parseRemote, type RemoteReference } from '../../builder/publish/remote.ts'
import { openStore } from '../../builder/store/directory.ts'
import { MIB } from '../../images/layout.ts'
import { listReporter } from './reporter.ts'
import { smallGeneration } from './small-generation.ts'
import { type PiRequest, SIGNED, type SmallLayers } from './small-image.ts'
import { tempDirectory } from './temp.ts'

/** The host of `smallImage`. */
export const TINY = {
  name: 'tiny',
  platform: 'pi',
  board: 'raspberry-pi-5',
  slotSize: 8 * MIB,
  trusted: [SIGNED.publicLine],
}

export type Machine = Awaited<ReturnType<typeof machine>>

/** A machine with its own store and output directory, for the host `tiny`. */
export async function machine(env: NodeJS.ProcessEnv = {}) {
  const root = await tempDirectory()
  const store = await openStore(join(root, 'store'))
  const output = join(root, 'out/tiny')
  const reporter = listReporter()
  const retries: string[] = []
  const cliContext = (at: RemoteReference, actions: 'pull' | 'pull,push', signal: AbortSignal) => ({
    ...{ store, reporter, signal, output, reference: at.reference },
    open: (stop: AbortSignal) =>
      openRepository(at.remote, {
        ...{ env, actions, transport: 'https', backoff: 20, signal: stop },
        onRetry: (reason) => void retries.push(reason),
      }),
  })
  return {
    ...{ store, output, reporter, retries },
    build: (given: Partial<PiRequest> & SmallLayers = {}) => smallGeneration(store, output, given),
    publish(to: string, given: { number?: number; signal?: AbortSignal } = {}) {
      const at = parseRemote(to)
      const tag = at.reference !== undefined && 'tag' in at.reference ? at.reference.tag : undefined
      const { signal = new AbortController().signal, number } = given
      return publish({ ...cliContext(at, 'pull,push', signal), host: 'tiny', tag, number })
    },
    pull(from: string, host: Partial<typeof TINY> = {}, signal = new AbortController().signal) {
      return pull({ ...cliContext(parseRemote(from), 'pull', signal), host: { ...TINY, ...host } })
    },
  }
}
