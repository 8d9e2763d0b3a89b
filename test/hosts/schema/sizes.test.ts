import { describe, expect, it } from 'vitest'
import { diskSize, memorySize, slotSize } from '../../../hosts/schema/sizes.ts'

describe('the schema of a size', () => {
  it.each([
    [memorySize, '96 MiB', 96 * 2 ** 20],
    [memorySize, '1.5 GiB', 1.5 * 2 ** 30],
    [memorySize, '4GiB', 4 * 2 ** 30],
    [diskSize, '64 GB', 64e9],
    [diskSize, '1 TB', 1e12],
    [slotSize, '24 GiB', 24 * 2 ** 30],
  ])('converts a size to bytes', (schema, text, bytes) => {
    expect(schema.parse(text)).toBe(bytes)
  })

  it.each([
    [memorySize, '96'],
    [memorySize, '96 MB'],
    [memorySize, '-1 MiB'],
    [memorySize, '0 MiB'],
    [memorySize, '0.5 MiB'],
    [memorySize, '96  MiB'],
    [memorySize, 'a 96 MiB'],
    [diskSize, '64 GiB'],
    [diskSize, '0 GB'],
    [slotSize, '8.5 GiB'],
    [slotSize, '512 MiB'],
    [slotSize, '0 GiB'],
  ])('refuses an invalid size, and quotes it', (schema, text) => {
    expect(() => schema.parse(text)).toThrow(`'${text}' is not`)
  })
})
