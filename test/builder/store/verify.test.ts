import { chmodSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OBJECT_TIME, openStore } from '../../../builder/store/directory.ts'
import { verifyStore } from '../../../builder/store/verify.ts'
import { storeVerify } from '../../../cli/commands/store-verify.ts'
import { digestOf } from '../../../images/digest.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A store with two objects of one output. `damage` changes bytes of one object, but not its size and time. */
async function storeWithOutput() {
  const root = await tempDirectory()
  const store = await openStore(root)
  const [one, other] = [await store.putBytes('one'), await store.putBytes('other')]
  const derivation = digestOf('derivation')
  await store.record(derivation, { one: { digest: one, size: 3 }, other: { digest: other, size: 5 } })
  const damage = () => {
    chmodSync(store.path(one), 0o644)
    writeFileSync(store.path(one), 'eno')
    utimesSync(store.path(one), OBJECT_TIME, OBJECT_TIME)
  }
  return { root, store, one, other, derivation, damage }
}

describe('verifyStore', () => {
  it('finds no corrupt object in an untouched store', async () => {
    const { store } = await storeWithOutput()
    expect(await verifyStore(store, listReporter())).toEqual({ whole: 2, damaged: [] })
  })

  it('accepts an empty store', async () => {
    const store = await openStore(await tempDirectory())
    expect(await verifyStore(store, listReporter())).toEqual({ whole: 0, damaged: [] })
  })

  it('names a corrupt object although its size and time are unchanged', async () => {
    const { store, one, damage } = await storeWithOutput()
    damage()
    expect(store.has(one, 3)).toBe(true)
    expect(await verifyStore(store, listReporter())).toEqual({ whole: 1, damaged: [one] })
  })

  it('removes a corrupt object so that the next build makes it again, and keeps the other objects', async () => {
    const { store, one, other, derivation, damage } = await storeWithOutput()
    damage()
    expect(store.output(derivation)).toBeDefined()
    await verifyStore(store, listReporter())
    expect([store.has(one), store.has(other)]).toEqual([false, true])
    expect(store.output(derivation)).toBeUndefined()
    await store.putBytes('one')
    expect(store.output(derivation)).toBeDefined()
    expect((await verifyStore(store, listReporter())).damaged).toEqual([])
  })

  it('stops the check when its signal is aborted', async () => {
    const { store } = await storeWithOutput()
    await expect(verifyStore(store, listReporter(), AbortSignal.abort())).rejects.toThrow()
  })
})

describe('store:verify', () => {
  const command = (root: string) => storeVerify.run(commandContext({ env: { HANGAR_STORE: root } }), [], {})

  it('store:verify lists corrupt objects and removes them', async () => {
    const { root, one, damage } = await storeWithOutput()
    damage()
    expect(await command(root)).toBe(
      `1 objects and 0 toolchains in ${root} are intact; removed 1 corrupt:\n  ${one}\nthe next build makes or fetches them again`,
    )
    expect(await command(root)).toBe(`1 objects and 0 toolchains in ${root} are intact`)
  })
})
