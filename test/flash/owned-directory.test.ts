import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownedDirectory, removeAbandoned } from '../../flash/owned-directory.ts'
import { temporaryName } from '../../lib/process-liveness.ts'
import { tempDirectory } from '../helpers/temp.ts'

/** A description of this process with one of its fields replaced: pid, start, namespace and boot, in this order. */
function described(field: number, value: string): string {
  const [word, ...fields] = temporaryName('owner').split('-')
  fields[field] = value
  return [word, ...fields].join('-')
}

/** A directory of the form that `ownedDirectory` makes, with another owner. */
function withOwner(parent: string, suffix: string, owner?: string): string {
  const directory = join(parent, `hangar-vm-4194305-${suffix}`)
  mkdirSync(directory, { mode: 0o700 })
  if (owner !== undefined) writeFileSync(join(directory, 'owner'), owner)
  return directory
}

// No process has this number: it is above the kernel's limit.
const ended = () => described(0, '4194305')

describe('ownedDirectory', () => {
  it('only this user may enter the directory', async () => {
    expect(statSync(ownedDirectory(await tempDirectory())).mode & 0o777).toBe(0o700)
  })
})

describe('removeAbandoned', () => {
  it('removes directories of ended processes, and keeps those of running ones', async () => {
    const parent = await tempDirectory()
    const running = ownedDirectory(parent)
    const abandoned = [ended(), described(1, '1'), described(3, 'abcdef')].map((owner, at) =>
      withOwner(parent, `abcde${at}`, owner),
    )
    removeAbandoned(parent)
    expect(existsSync(running)).toBe(true)
    expect(abandoned.filter((path) => existsSync(path))).toEqual([])
  })

  it('keeps the directory of a process in another container, whose number is free here', async () => {
    const parent = await tempDirectory()
    const foreign = withOwner(parent, 'abcdef', described(2, '1').replace(`-${process.pid}-`, '-4194305-'))
    removeAbandoned(parent)
    expect(existsSync(foreign)).toBe(true)
  })

  it('keeps directories without a description, and names of another form', async () => {
    const parent = await tempDirectory()
    const kept = [withOwner(parent, 'abcdef'), withOwner(parent, 'abcdeg', 'notes'), join(parent, 'hangar-vm-notes')]
    mkdirSync(join(parent, 'hangar-vm-notes'))
    writeFileSync(join(parent, 'hangar-vm-notes', 'owner'), ended())
    removeAbandoned(parent)
    expect(kept.filter((path) => !existsSync(path))).toEqual([])
  })

  it.skipIf(process.getuid?.() !== 0)('ignores directories of other users', async () => {
    const parent = await tempDirectory()
    const foreign = withOwner(parent, 'abcdef', ended())
    chmodSync(foreign, 0o755)
    chmodSync(parent, 0o755)
    process.seteuid?.(65534)
    try {
      removeAbandoned(parent)
    } finally {
      process.seteuid?.(0)
    }
    expect(existsSync(foreign)).toBe(true)
    // Negative control: its own user's call removes it.
    removeAbandoned(parent)
    expect(existsSync(foreign)).toBe(false)
    rmSync(parent, { recursive: true, force: true })
  })
})
