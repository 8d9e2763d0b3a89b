import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { noteSent } from '../../../../builder/runners/dagger/engine-files.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const MB = 1_000_000

/** A store, and files of this size in it. */
async function storeWith(sizes: Readonly<Record<string, number>>) {
  const root = await tempDirectory()
  for (const [name, size] of Object.entries(sizes)) {
    const file = openSync(join(root, name), 'w')
    ftruncateSync(file, size)
    closeSync(file)
  }
  const warned = (engine: string, names: readonly string[], sent: number) => {
    const reporter = listReporter()
    noteSent({ root, engine, given: new Set(names.map((name) => join(root, name))), sent }, reporter)
    return reporter.warnings
  }
  return { root, warned }
}

describe('noteSent', () => {
  it('warns when an engine needs files again that earlier builds sent to it', async () => {
    const { warned } = await storeWith({ a: 600 * MB, b: 1 * MB })
    expect(warned('unix:///e', ['a'], 600 * MB)).toEqual([])
    expect(warned('unix:///e', ['a', 'b'], 601 * MB)).toEqual([
      "the Dagger engine at 'unix:///e' has lost files that earlier builds sent to it: 600 MB went again, and it rebuilds everything; set its garbage collection as in docs/builders.md",
    ])
  })

  it('does not warn for new files, for an engine that still has its files, or for another engine', async () => {
    const { warned } = await storeWith({ a: 600 * MB, b: 400 * MB })
    expect(warned('unix:///e', ['a'], 600 * MB)).toEqual([])
    expect(warned('unix:///e', ['a', 'b'], 401 * MB)).toEqual([])
    expect(warned('unix:///e', ['a', 'b'], 1 * MB)).toEqual([])
    expect(warned('tcp://other:8080', ['a', 'b'], 1000 * MB)).toEqual([])
  })

  it('warns once when an engine has lost its files and has received them again', async () => {
    const { warned } = await storeWith({ a: 600 * MB })
    warned('unix:///e', ['a'], 600 * MB)
    expect(warned('unix:///e', ['a'], 600 * MB)).toHaveLength(1)
    expect(warned('unix:///e', ['a'], 0)).toEqual([])
  })

  it('a store that it cannot write to does not fail the build', async () => {
    const { root, warned } = await storeWith({ a: 600 * MB })
    writeFileSync(join(root, 'engines'), '')
    expect(warned('unix:///e', ['a'], 600 * MB)).toEqual([])
    expect(warned('unix:///e', ['a'], 600 * MB)).toEqual([])
  })
})
