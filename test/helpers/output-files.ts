import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type OutputState, readState } from '../../builder/outputs/state.ts'

/** The state that a complete run left. Expects at least SHA256SUMS, so that a comparison is never empty. */
export function stateOf(directory: string): OutputState {
  const state = readState(directory)
  expect(Object.keys(state)).toContain('SHA256SUMS')
  return state
}

/**
 * Names of output files that differ from a fresh directory in size, or in a range that a state in `states` lists. Other
 * ranges are holes: reading gigabytes of holes takes seconds.
 */
export function differences(directory: string, fresh: string, states: readonly OutputState[]): string[] {
  return Object.keys(stateOf(fresh)).filter((name) => {
    const [one, other] = [join(directory, name), join(fresh, name)]
    if (statSync(one, { throwIfNoEntry: false })?.size !== statSync(other).size) return true
    const ranges = states.flatMap((state) => state[name]?.segments ?? [])
    expect(ranges.length).toBeGreaterThan(0)
    return ranges.some(({ offset, size }) => !readRange(one, offset, size).equals(readRange(other, offset, size)))
  })
}

export function readRange(file: string, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  const descriptor = openSync(file, 'r')
  const count = readSync(descriptor, bytes, 0, size, offset)
  closeSync(descriptor)
  return bytes.subarray(0, count)
}

/** File name -> digest, from SHA256SUMS. */
export function sumsIn(directory: string): Record<string, string> {
  const lines = readFileSync(join(directory, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')
  return Object.fromEntries(lines.map((line) => line.split('  ').reverse()))
}
