import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../builder/store/store.ts'
import type { Derivation } from '../../images/derivation.ts'
import { derivation } from '../helpers/derivation.ts'
import { eventually } from '../helpers/eventually.ts'
import { commandLines } from '../helpers/processes.ts'
import { type RunnerUnderTest, realiseAll } from '../helpers/realise.ts'
import { listReporter } from '../helpers/reporter.ts'

/** How every runner stops: at a failure, and at an abort. */
export function describeRunnerStops(name: string, make: (signal?: AbortSignal) => Promise<RunnerUnderTest>): void {
  describe(`the ${name} runner`, () => {
    it.skipIf(availableParallelism() === 1)(
      'stops the other derivations when one fails, and settles when nothing runs any more',
      async () => {
        const given = await make()
        const endless = `1000.${process.pid}${Date.now() % 1000}`
        const reporter = listReporter()
        const failing = realiseAll(
          given,
          [shell('endless', `sleep ${endless}`), shell('failing', 'sleep 3; echo the reason; exit 3')],
          reporter,
        )
        failing.catch(() => undefined)
        // Negative control: the other command does run.
        await eventually(async () => isRunning(endless), 60)
        await expect(failing).rejects.toMatchObject({ message: expect.stringMatching(/^derivation 'failing' failed/) })
        expect(scratchOf(given.store, 'endless')).toEqual([])
        expect(reporter.ended.filter((each) => /endless|failing/.test(each))).toEqual(['failing: failed'])
        const then = [...reporter.ended]
        await eventually(async () => !isRunning(endless), 20)
        expect(reporter.ended).toEqual(then)
      },
    )

    it('stops at an abort, and settles with its reason when nothing runs any more', async () => {
      const stop = new AbortController()
      const given = await make(stop.signal)
      const endless = `1001.${process.pid}${Date.now() % 1000}`
      const reporter = listReporter()
      const stopped = realiseAll(given, [shell('endless', `sleep ${endless}`)], reporter)
      stopped.catch(() => undefined)
      await eventually(async () => isRunning(endless), 60)
      const reason = new Error('stopped by the user')
      stop.abort(reason)
      await expect(stopped).rejects.toBe(reason)
      expect(scratchOf(given.store, 'endless')).toEqual([])
      expect(reporter.ended.filter((each) => each.startsWith('endless'))).toEqual([])
      await eventually(async () => !isRunning(endless), 20)
    })
  })
}

function shell(name: string, script: string): Derivation {
  return derivation({ name, command: ['bash', '-ec', script, randomUUID()] })
}

function isRunning(seconds: string): boolean {
  return commandLines().some((command) => command.join(' ') === `sleep ${seconds}`)
}

/** The directories that a derivation of this process has left in the store, which other tests use at the same time. */
function scratchOf(store: Store, name: string): string[] {
  return readdirSync(join(store.root, 'tmp')).filter((each) => each.startsWith(`${name}-${process.pid}-`))
}
