import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSegment } from '../../../builder/outputs/segment.ts'
import { fileState, forgetState, holds, readState, writeState } from '../../../builder/outputs/state.ts'
import { BLOCK } from '../../../images/layout.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const SEGMENTS = [bytesSegment(0, Buffer.alloc(BLOCK, 'a'))]

async function written() {
  const directory = await tempDirectory()
  const file = join(directory, 'file')
  writeFileSync(file, Buffer.alloc(BLOCK, 'a'))
  const state = { file: fileState(file, SEGMENTS, undefined) }
  await writeState(directory, state)
  return { directory, file, state }
}

describe('readState', () => {
  it('returns the state of the last complete run', async () => {
    const { directory, state } = await written()
    expect(readState(directory).file?.segments).toEqual(state.file.segments)
    expect(existsSync(join(directory, '.state.json.new'))).toBe(false)
  })

  it('returns an empty state if no run has completed', async () => {
    expect(readState(await tempDirectory())).toEqual({})
  })

  it('returns an empty state after the first change of the next run', async () => {
    const { directory } = await written()
    await forgetState(directory)
    expect(readState(directory)).toEqual({})
  })

  it('returns an empty state for another format', async () => {
    const { directory } = await written()
    const path = join(directory, '.state.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"format":2', '"format":1'))
    expect(readState(directory)).toEqual({})
  })

  it('returns an empty state when a file changed or is missing', async () => {
    const touched = await written()
    utimesSync(touched.file, 1, 1)
    expect(readState(touched.directory)).toEqual({})
    const longer = await written()
    writeFileSync(longer.file, 'x', { flag: 'a' })
    expect(readState(longer.directory)).toEqual({})
  })

  it('returns an empty state for a file that is not JSON', async () => {
    const { directory } = await written()
    writeFileSync(join(directory, '.state.json'), '{"fi')
    expect(readState(directory)).toEqual({})
  })
})

describe('holds', () => {
  const state = { size: BLOCK, mtimeMs: 0, segments: SEGMENTS, sha256: undefined }

  it('compares offset, size and content of every segment', () => {
    expect(holds(state, BLOCK, SEGMENTS)).toBe(true)
    expect(holds(undefined, BLOCK, SEGMENTS)).toBe(false)
    expect(holds(state, 2 * BLOCK, SEGMENTS)).toBe(false)
    expect(holds(state, BLOCK, [])).toBe(false)
    expect(holds(state, BLOCK, [bytesSegment(0, Buffer.alloc(BLOCK, 'b'))])).toBe(false)
    expect(holds(state, BLOCK, [bytesSegment(BLOCK, Buffer.alloc(BLOCK, 'a'))])).toBe(false)
  })
})
