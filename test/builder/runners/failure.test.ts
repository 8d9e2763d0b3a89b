import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { derivationFailed, logFile } from '../../../builder/runners/failure.ts'
import { openStore } from '../../../builder/store/directory.ts'
import { Refusal, refusalLine } from '../../../images/refusal.ts'
import { derivation } from '../../helpers/derivation.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** The error of a derivation that failed with this output. */
async function failed(output: string, place: 'sandbox' | 'engine', root?: string) {
  const store = await openStore(root ?? join(await tempDirectory(), 'store'))
  const given = derivation({ name: 'layer' })
  const log = await logFile(given, store)
  writeFileSync(log, output)
  const error = await derivationFailed(given, { status: 1, log, place }, store)
  return { code: error.code, first: error.message.split('\n')[0], message: error.message, hint: error.hint }
}

/** A file system of this size in MiB and number of files, which ends with the test. */
async function smallFileSystem(size: number, files: number): Promise<string> {
  const directory = join(await tempDirectory(), 'small')
  mkdirSync(directory)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,nr_inodes=${files}`, 'small', directory])
  onTestFinished(() => void execFileSync('umount', [directory]))
  return directory
}

const FULL = "cp: error writing '/build/x': No space left on device"

describe('the error of a derivation whose program found no space', () => {
  it('names the file system of the store when it is full', async () => {
    const small = await smallFileSystem(8, 1000)
    expect(await failed(FULL, 'sandbox', join(small, 'store'))).toMatchObject({
      first: `derivation 'layer' failed with status 1: the file system '${small}' of the store has no space left:`,
      hint: expect.stringContaining(
        `free disk space (df -h '${small}'), for example with: npm run gc; or keep the store`,
      ),
    })
  })

  it('names the file system of the store when it has no room for more files', async () => {
    const small = await smallFileSystem(64, 20)
    expect(await failed(FULL, 'sandbox', join(small, 'store'))).toMatchObject({
      first: expect.stringContaining(`the file system '${small}' of the store has no room for more files:`),
      hint: expect.stringContaining(`df -i '${small}'`),
    })
  })

  it('names the store for its output, also when a program has removed the incomplete file', async () => {
    const { first } = await failed("cp: error writing '/out/slot.img': No space left on device", 'sandbox')
    expect(first).toMatch(/: the file system '\/.*' of the store has no space left:$/)
  })

  it('names the memory for all other files of a sandbox', async () => {
    expect(await failed(FULL, 'sandbox')).toMatchObject({
      first: "derivation 'layer' failed with status 1: the temporary files do not fit into the memory:",
      hint: expect.stringContaining('add memory or swap: free -h'),
    })
  })

  it('names the disk or the memory of the engine', async () => {
    expect(await failed('tar: x: Cannot write: No space left on device', 'engine')).toMatchObject({
      first: expect.stringContaining('the disk of the Dagger engine is full'),
      hint: expect.stringContaining('on the machine of the engine'),
    })
    expect((await failed(FULL, 'engine')).first).toContain("memory of the Dagger engine's machine")
  })

  it('shows the line with the reason when many lines follow it', async () => {
    const after = Array.from({ length: 50 }, (_, number) => `cleanup ${number}`).join('\n')
    const { message } = await failed(`${FULL}\n${after}\n`, 'sandbox')
    expect(message).toContain(`:\n  ${FULL}\n  …\n  cleanup 38\n`)
  })

  it('blames no file system for another failure', async () => {
    const { first, hint } = await failed('cc: error: x', 'sandbox')
    expect(first).toBe("derivation 'layer' failed with status 1:")
    expect(hint).toMatch(/^complete log: /)
  })
})

describe('the error of a derivation whose step refused its inputs', () => {
  const line = refusalLine(new Refusal('ids', "no user 'x'", "append user('x', 1, '…'),"))

  it('is the refusal alone', async () => {
    expect(await failed(`noise\n${line}\n`, 'sandbox')).toMatchObject({
      code: 'ids',
      message: "cannot build 'layer': no user 'x'",
      hint: "append user('x', 1, '…'),",
    })
  })

  it('is the end of the log if the step went on after the line', async () => {
    expect(await failed(`${line}\nmore\n`, 'engine')).toMatchObject({ code: 'derivation' })
  })
})
