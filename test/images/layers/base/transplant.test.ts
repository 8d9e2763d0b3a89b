import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ScriptChanges } from '../../../../images/layers/base/script-changes.ts'
import { transplant } from '../../../../images/layers/base/transplant.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function twoRoots(): Promise<{ from: string; to: string }> {
  const directory = await tempDirectory()
  const [from, to] = [`${directory}/from`, `${directory}/to`]
  for (const root of [from, to]) mkdirSync(`${root}/etc`, { recursive: true })
  return { from, to }
}

/** Replaces the programs that copy extended attributes: the toolchain has them, and this machine need not. */
async function withoutAttributes(): Promise<void> {
  const directory = await tempDirectory()
  for (const name of ['getfattr', 'setfattr']) writeFileSync(`${directory}/${name}`, '#!/bin/sh\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
}

const NONE: ScriptChanges = { made: [], retouched: [], deleted: [], linked: [], moved: [] }

describe('transplant', () => {
  it('copies new files with content, mode, owner and links, and no other files', async () => {
    const { from, to } = await twoRoots()
    mkdirSync(`${from}/etc/made dir`)
    chmodSync(`${from}/etc/made dir`, 0o2750)
    writeFileSync(`${from}/etc/made dir/file`, 'new')
    chownSync(`${from}/etc/made dir/file`, 105, 106)
    chmodSync(`${from}/etc/made dir/file`, 0o4750)
    symlinkSync('made dir', `${from}/etc/link`)
    writeFileSync(`${from}/etc/shipped`, "the builder's")
    writeFileSync(`${to}/etc/shipped`, "the target's")
    await transplant({ ...NONE, made: ['/etc/link', '/etc/made dir', '/etc/made dir/file'] }, from, to)
    expect(readFileSync(`${to}/etc/made dir/file`, 'utf8')).toBe('new')
    expect(lstatSync(`${to}/etc/made dir/file`)).toMatchObject({ uid: 105, gid: 106, mode: 0o104750 })
    expect(lstatSync(`${to}/etc/made dir`).mode).toBe(0o042750)
    expect(readlinkSync(`${to}/etc/link`)).toBe('made dir')
    expect(readFileSync(`${to}/etc/shipped`, 'utf8')).toBe("the target's")
  })

  it('removes deleted directories with all their content', async () => {
    const { from, to } = await twoRoots()
    mkdirSync(`${to}/etc/gone/below`, { recursive: true })
    await transplant({ ...NONE, deleted: ['/etc/gone', '/etc/never-there'] }, from, to)
    expect(existsSync(`${to}/etc/gone`)).toBe(false)
  })

  it('replaces a link by a file instead of writing through the link', async () => {
    const { from, to } = await twoRoots()
    writeFileSync(`${from}/etc/conf`, 'made')
    writeFileSync(`${to}/etc/other`, 'kept')
    symlinkSync('other', `${to}/etc/conf`)
    await transplant({ ...NONE, made: ['/etc/conf'] }, from, to)
    expect(lstatSync(`${to}/etc/conf`).isFile()).toBe(true)
    expect(readFileSync(`${to}/etc/other`, 'utf8')).toBe('kept')
  })

  it('refuses a new mode for a file that the target’s packages do not ship', async () => {
    const { from, to } = await twoRoots()
    writeFileSync(`${from}/etc/only-here`, '')
    await expect(transplant({ ...NONE, retouched: ['/etc/only-here'] }, from, to)).rejects.toThrow(
      "maintainer scripts change the mode of '/etc/only-here', which the target's packages do not ship",
    )
  })

  it('links and moves the files of the target, never those of the builder', async () => {
    const { from, to } = await twoRoots()
    await withoutAttributes()
    for (const [root, owner] of [
      [from, 'builder'],
      [to, 'target'],
    ] as const) {
      mkdirSync(`${root}/old`)
      writeFileSync(`${root}/etc/linked`, `linked ${owner}`)
      writeFileSync(`${root}/old/moved`, `moved ${owner}`)
    }
    mkdirSync(`${from}/new`)
    linkSync(`${from}/etc/linked`, `${from}/new/link`)
    renameSync(`${from}/old/moved`, `${from}/new/moved`)
    rmSync(`${from}/old`, { recursive: true })
    chmodSync(`${from}/new/moved`, 0o700)
    const linked = [{ from: '/etc/linked', to: '/new/link' }]
    const moved = [{ from: '/old/moved', to: '/new/moved' }]
    await transplant({ ...NONE, made: ['/new'], deleted: ['/old', '/old/moved'], linked, moved }, from, to)
    expect(readFileSync(`${to}/new/link`, 'utf8')).toBe('linked target')
    expect(lstatSync(`${to}/new/link`).ino).toBe(lstatSync(`${to}/etc/linked`).ino)
    expect(readFileSync(`${to}/new/moved`, 'utf8')).toBe('moved target')
    expect(lstatSync(`${to}/new/moved`).mode).toBe(0o100700)
    expect(readdirSync(to).sort()).toEqual(['etc', 'new'])
  })
})
