import { existsSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Runner } from '../../builder/runners/runner.ts'
import type { Store } from '../../builder/store/store.ts'
import type { Fetch } from '../../builder/toolchain/toolchain.ts'
import { type Derivation, derivationDigest, type Toolchain } from '../../images/derivation.ts'
import { digestOf } from '../../images/digest.ts'
import type { LockedFile } from '../../images/locked-file.ts'
import { derivation } from '../helpers/derivation.ts'
import { listReporter } from '../helpers/reporter.ts'

export interface OutputsUnderTest {
  readonly store: Store
  readonly toolchain: Toolchain
  readonly fetch: Fetch
  readonly runnerWith: (fetch: Fetch) => Runner
}

/** What every runner does with the store. Runners that run no commands, as fakes in tests, have this contract too. */
export function describeRunnerOutputs(name: string, make: () => Promise<OutputsUnderTest>): void {
  describe(`the outputs of the ${name} runner`, () => {
    const some = ({ toolchain }: OutputsUnderTest, given: Partial<Derivation>) =>
      derivation({
        ...{ system: toolchain.architecture, toolchain },
        command: ['bash', '-ec', 'echo made > /out/program', crypto.randomUUID()],
        ...given,
      })

    it('returns the outputs of exactly the wanted derivations, and the store has their files', async () => {
      const given = await make()
      const wanted = [some(given, { name: 'one' }), some(given, { name: 'two' })]
      const outputs = await given.runnerWith(given.fetch).realise(wanted, listReporter())
      expect([...outputs.keys()].sort()).toEqual(wanted.map(derivationDigest).sort())
      for (const { digest, size } of [...outputs.values()].flatMap((output) => Object.values(output))) {
        const file = given.store.path(digest)
        expect(existsSync(file) && statSync(file).size).toBe(size)
      }
    })

    it('records the wanted outputs, and fetches nothing when the store has them', async () => {
      const given = await make()
      const wanted = some(given, {})
      const first = await given.runnerWith(given.fetch).realise([wanted], listReporter())
      expect(given.store.output(derivationDigest(wanted))).toEqual(first.get(derivationDigest(wanted)))
      const refuses = given.runnerWith(async (files) => expect(files).toEqual([]))
      expect(await refuses.realise([wanted], listReporter())).toEqual(first)
    })

    it('rejects with the error of a failed fetch, and records nothing', async () => {
      const given = await make()
      const locked: LockedFile = {
        package: 'x',
        version: '1',
        path: 'pool/x.deb',
        sha256: digestOf(crypto.randomUUID()),
        size: 5,
      }
      const wanted = some(given, { inputs: { 'x.deb': { locked } } })
      const reason = new Error('no network')
      const failing = given.runnerWith((files) =>
        files.some(({ sha256 }) => sha256 === locked.sha256) ? Promise.reject(reason) : given.fetch(files),
      )
      await expect(failing.realise([wanted], listReporter())).rejects.toBe(reason)
      expect(given.store.output(derivationDigest(wanted))).toBeUndefined()
    })
  })
}
