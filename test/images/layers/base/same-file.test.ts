import { chmodSync, copyFileSync, linkSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findChanges } from '../../../../images/layers/base/carry.ts'
import { findSameFiles } from '../../../../images/layers/base/same-file.ts'
import { walk } from '../../../../images/layers/parts/walk.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

/** Runs `script` in a root with the shipped file /usr/shipped, and finds the made paths that are this file. */
async function afterScript(script: (root: string) => void) {
  const root = await tempDirectory()
  mkdirSync(`${root}/usr`)
  writeFileSync(`${root}/usr/shipped`, 'shipped')
  utimesSync(`${root}/usr/shipped`, 1, 1)
  const before = walk(root)
  script(root)
  const after = walk(root)
  return findSameFiles(before, after, findChanges(before, after).carried)
}

describe('findSameFiles', () => {
  it('finds a hard link to a shipped file', async () => {
    const found = await afterScript((root) => linkSync(`${root}/usr/shipped`, `${root}/usr/link`))
    expect(found).toEqual({ linked: [{ from: '/usr/shipped', to: '/usr/link' }], moved: [] })
  })

  it('finds a shipped file that a script moved, also if it has another mode now', async () => {
    const found = await afterScript((root) => {
      renameSync(`${root}/usr/shipped`, `${root}/usr/moved`)
      chmodSync(`${root}/usr/moved`, 0o755)
    })
    expect(found).toEqual({ linked: [], moved: [{ from: '/usr/shipped', to: '/usr/moved' }] })
  })

  it('finds a moved file whose old path has another file now, as after a diversion', async () => {
    const found = await afterScript((root) => {
      renameSync(`${root}/usr/shipped`, `${root}/usr/shipped.distrib`)
      writeFileSync(`${root}/usr/shipped`, 'replacement')
    })
    expect(found).toEqual({ linked: [], moved: [{ from: '/usr/shipped', to: '/usr/shipped.distrib' }] })
  })

  it('does not take a copy or a changed file for the shipped one', async () => {
    const copied = await afterScript((root) => copyFileSync(`${root}/usr/shipped`, `${root}/usr/copy`))
    const changed = await afterScript((root) => {
      renameSync(`${root}/usr/shipped`, `${root}/usr/moved`)
      writeFileSync(`${root}/usr/moved`, 'changed')
    })
    const removed = await afterScript((root) => rmSync(`${root}/usr/shipped`))
    for (const found of [copied, changed, removed]) expect(found).toEqual({ linked: [], moved: [] })
  })
})
